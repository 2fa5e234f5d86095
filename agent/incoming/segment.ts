// Reads one captured packet's headers: which connection it belongs to, where its TCP payload lies, and how long it truly is.

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const ACK = 0x10

const ETH_P_IP = 0x0800
const ETH_P_IPV6 = 0x86dd
const vlanTypes = [0x8100, 0x88a8, 0x9100]
const IPPROTO_TCP = 6
const extensionHeaders = [0, 43, 60]

/** Filled anew for each packet, so that reading a packet allocates nothing. Offsets are into the view that was read. */
export type Segment = {
  /** 4 or 16; the source address is at `addressAt`, the destination right behind it. */
  addressBytes: number
  addressAt: number
  sourcePort: number
  destinationPort: number
  seq: number
  ack: number
  flags: number
  payloadAt: number
  /** Payload bytes that were captured; the others were cut off. */
  capturedBytes: number
  /** Payload bytes that the packet carried. */
  payloadBytes: number
  /** The TCP header's place and the IP header's, for the checksum. */
  tcpAt: number
  ipAt: number
}

export function emptySegment(): Segment {
  return {
    addressBytes: 4,
    addressAt: 0,
    sourcePort: 0,
    destinationPort: 0,
    seq: 0,
    ack: 0,
    flags: 0,
    payloadAt: 0,
    capturedBytes: 0,
    payloadBytes: 0,
    tcpAt: 0,
    ipAt: 0,
  }
}

/** Where a packet lies: from its network header (or the rest of a VLAN tag, if `protocol` says so) and how long it was on the wire. */
export type Packet = { at: number; capturedBytes: number; wireBytes: number; protocol: number }

/** False if it is no TCP segment that can be read whole: not IP, a fragment, headers cut off or contradictory. */
export function readSegment(view: DataView, packet: Packet, into: Segment): boolean {
  const end = packet.at + packet.capturedBytes
  let { at, protocol } = packet
  while (vlanTypes.includes(protocol) && at + 4 <= end) {
    protocol = view.getUint16(at + 2)
    at += 4
  }
  into.ipAt = at
  const wireEnd = packet.at + packet.wireBytes
  if (protocol === ETH_P_IP) return readIpv4(view, end, wireEnd, into)
  if (protocol === ETH_P_IPV6) return readIpv6(view, end, wireEnd, into)
  return false
}

/** The total length tells padding of short Ethernet frames from payload; 0 there is a packet beyond 64 KiB (BIG TCP): the frame's length counts. */
function readIpv4(view: DataView, end: number, wireEnd: number, into: Segment): boolean {
  const at = into.ipAt
  if (at + 20 > end || view.getUint8(at) >> 4 !== 4 || view.getUint8(at + 9) !== IPPROTO_TCP) return false
  if ((view.getUint16(at + 6) & 0x3fff) !== 0) return false
  const headerBytes = (view.getUint8(at) & 0x0f) * 4
  const totalBytes = view.getUint16(at + 2) || wireEnd - at
  if (headerBytes < 20 || at + totalBytes > wireEnd) return false
  into.addressBytes = 4
  into.addressAt = at + 12
  return readTcp(view, at + headerBytes, end, at + totalBytes, into)
}

function readIpv6(view: DataView, end: number, wireEnd: number, into: Segment): boolean {
  const at = into.ipAt
  if (at + 40 > end || view.getUint8(at) >> 4 !== 6) return false
  const payloadEnd = view.getUint16(at + 4) === 0 ? wireEnd : at + 40 + view.getUint16(at + 4)
  if (payloadEnd > wireEnd) return false
  let header = view.getUint8(at + 6)
  let headerAt = at + 40
  while (extensionHeaders.includes(header)) {
    if (headerAt + 8 > end) return false
    header = view.getUint8(headerAt)
    headerAt += (view.getUint8(headerAt + 1) + 1) * 8
  }
  if (header !== IPPROTO_TCP) return false
  into.addressBytes = 16
  into.addressAt = at + 8
  return readTcp(view, headerAt, end, payloadEnd, into)
}

function readTcp(view: DataView, at: number, end: number, payloadEnd: number, into: Segment): boolean {
  if (at + 20 > end) return false
  const headerBytes = (view.getUint8(at + 12) >> 4) * 4
  const payloadAt = at + headerBytes
  if (headerBytes < 20 || payloadAt > payloadEnd || payloadAt > end) return false
  into.tcpAt = at
  into.sourcePort = view.getUint16(at)
  into.destinationPort = view.getUint16(at + 2)
  into.seq = view.getUint32(at + 4)
  into.ack = view.getUint32(at + 8)
  into.flags = view.getUint8(at + 13)
  into.payloadAt = payloadAt
  into.payloadBytes = payloadEnd - payloadAt
  into.capturedBytes = Math.min(end, payloadEnd) - payloadAt
  return true
}

/**
 * Whether the TCP checksum is that of the bytes: the pod throws a damaged segment away, so must we. Only for segments captured whole, and
 * needed only where the kernel has not judged already (it has for loopback, virtual cables and most network cards).
 */
export function checksumHolds(view: DataView, segment: Segment): boolean {
  const end = segment.payloadAt + segment.payloadBytes
  let sum = IPPROTO_TCP + (end - segment.tcpAt)
  const addressesEnd = segment.addressAt + 2 * segment.addressBytes
  for (let at = segment.addressAt; at < addressesEnd; at += 2) sum += view.getUint16(at)
  const even = end - ((end - segment.tcpAt) & 1)
  for (let at = segment.tcpAt; at < even; at += 2) sum += view.getUint16(at)
  if (even < end) sum += view.getUint8(even) << 8
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
  return sum === 0xffff
}

// Makes TCP packets by hand, as they begin at the network header: IPv4 or IPv6, tagged, extended, padded, with a right checksum.
import { isIPv6 } from 'node:net'

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10

export type PacketParts = {
  from: { address: string; port: number }
  to: { address: string; port: number }
  seq?: number
  ack?: number
  flags?: number
  payload?: Buffer
  /** 802.1Q tags inside the packet, outermost first: the type of the packet is then 0x8100. */
  inlineTags?: number
  /** IPv6 hop-by-hop options before the TCP header. */
  hopByHop?: boolean
  ipOptionsBytes?: number
  tcpOptionsBytes?: number
  /** The length field is 0, as in packets beyond 64 KiB. */
  lengthUnknown?: boolean
  fragment?: number
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined) =>
    text ? text.split(':').map(group => Number.parseInt(group, 16)) : []
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap(group => [group >> 8, group & 255]))
}

export function makePacket(parts: PacketParts): { bytes: Buffer; protocol: number } {
  const six = isIPv6(parts.from.address)
  const tcp = tcpBytes(parts)
  const ip = six ? ipv6Bytes(parts, tcp.length) : ipv4Bytes(parts, tcp.length)
  const protocol = six ? 0x86dd : 0x0800
  const tags = parts.inlineTags ?? 0
  const tagBytes = Array.from({ length: tags }, (_, index) => {
    const inner = index === tags - 1 ? protocol : 0x8100
    return Buffer.from([0x00, 0x2a, inner >> 8, inner & 255])
  })
  return { bytes: Buffer.concat([...tagBytes, ip, tcp]), protocol: tags > 0 ? 0x8100 : protocol }
}

function tcpBytes(parts: PacketParts): Buffer {
  const { from, to, seq = 0, ack = 0, flags = ACK, payload = Buffer.alloc(0), tcpOptionsBytes = 0 } = parts
  const header = Buffer.alloc(20 + tcpOptionsBytes, 1)
  header.writeUInt16BE(from.port, 0)
  header.writeUInt16BE(to.port, 2)
  header.writeUInt32BE(seq >>> 0, 4)
  header.writeUInt32BE(ack >>> 0, 8)
  header.writeUInt8((header.length / 4) << 4, 12)
  header.writeUInt8(flags, 13)
  header.writeUInt16BE(1000, 14)
  header.writeUInt32BE(0, 16)
  const tcp = Buffer.concat([header, payload])
  let sum = 6 + tcp.length
  for (const part of [addressBytes(from.address), addressBytes(to.address), tcp])
    for (let at = 0; at < part.length; at += 2) sum += (part[at]! << 8) | (part[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536)
  tcp.writeUInt16BE(~sum & 0xffff, 16)
  return tcp
}

function ipv4Bytes(parts: PacketParts, tcpLength: number): Buffer {
  const ip = Buffer.alloc(20 + (parts.ipOptionsBytes ?? 0), 1)
  ip.writeUInt8(0x40 | (ip.length / 4), 0)
  ip.writeUInt16BE(parts.lengthUnknown ? 0 : ip.length + tcpLength, 2)
  ip.writeUInt16BE(parts.fragment ?? 0x4000, 6)
  ip.writeUInt8(6, 9)
  addressBytes(parts.from.address).copy(ip, 12)
  addressBytes(parts.to.address).copy(ip, 16)
  return ip
}

function ipv6Bytes(parts: PacketParts, tcpLength: number): Buffer {
  const extension = parts.hopByHop ? Buffer.from([6, 0, 1, 4, 0, 0, 0, 0]) : Buffer.alloc(0)
  const ip = Buffer.alloc(40)
  ip.writeUInt8(0x60, 0)
  ip.writeUInt16BE(parts.lengthUnknown ? 0 : extension.length + tcpLength, 4)
  ip.writeUInt8(parts.hopByHop ? 0 : 6, 6)
  addressBytes(parts.from.address).copy(ip, 8)
  addressBytes(parts.to.address).copy(ip, 24)
  return Buffer.concat([ip, extension])
}

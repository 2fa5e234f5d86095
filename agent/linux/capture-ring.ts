// The ring that the kernel copies captured packets into (TPACKET_V3, see packet(7) and packet_mmap.rst), mapped and walked block by block.
import koffi from 'koffi'
import { packetRing } from '../incoming/capture-failure.ts'
import { captureFailure, setPacketOption } from './packet-socket.ts'

const PACKET_RX_RING = 5
const PACKET_VERSION = 10
const TPACKET_V3 = 2
const PROT_READ_WRITE = 3
const MAP_SHARED = 1
const TP_STATUS_KERNEL = 0
const TP_STATUS_USER = 1
const TP_STATUS_CSUMNOTREADY = 1 << 3
const TP_STATUS_CSUM_VALID = 1 << 7

/** A block is given to us when it is full or this old: what is mirrored is this late at most. */
const retireMs = 10
const frameBytes = 2048
/** The largest packet that fits whole: four times what segmentation offload makes by default. */
export const blockBytes = 2 ** 18
/**
 * 32 MiB holds 20 ms of 1.6 GB/s; kernels that can't give it (memory cgroup, fragmentation) are asked for less. Many small blocks rather
 * than few large ones: a trickle of packets uses one up each 10 ms, so that 128 bridge 1.3 s in which a busy machine does not run us.
 */
const blockCounts = [128, 64, 32, 16]

const libc = koffi.load(null)
const mmap = libc.func('void *mmap(void *, size_t, int, int, int, long)')
const munmap = libc.func('int munmap(void *, size_t)')

/**
 * Lays the ring under the socket and returns its number of blocks.
 *
 * struct tpacket_req3: block_size block_nr frame_size frame_nr retire_blk_tov sizeof_priv feature_req_word, 4 bytes each
 */
export function layRing(fd: number): number {
  chooseRing(fd)
  const blocks = blockCounts.find(count => {
    const frames = (blockBytes / frameBytes) * count
    const request = Uint32Array.of(blockBytes, count, frameBytes, frames, retireMs, 0, 0)
    return setPacketOption(fd, PACKET_RX_RING, Buffer.from(request.buffer))
  })
  if (blocks === undefined) throw captureFailure('setsockopt(PACKET_RX_RING)')
  return blocks
}

/** Whether the kernel has rings of this version is known by this step alone: what follows fails for want of memory. */
export function chooseRing(fd: number): void {
  if (!setPacketOption(fd, PACKET_VERSION, Buffer.from(Uint32Array.of(TPACKET_V3).buffer)))
    throw captureFailure('setsockopt(PACKET_VERSION)', packetRing)
}

/** What the ring tells of a packet; filled anew for each. `at` is an offset into the ring. */
export type RingPacket = {
  at: number
  capturedBytes: number
  wireBytes: number
  protocol: number
  interfaceIndex: number
  packetType: number
  checksumKnown: boolean
  timeMs: number
}

export type Ring = {
  readonly view: DataView
  readonly bytes: Uint8Array
  /** Reads the next block if the kernel has given it to us, packet by packet, and gives it back. False if it has not. */
  readBlock(each: (packet: RingPacket) => void): boolean
  /** Nothing may touch `view` and `bytes` afterwards. */
  unmap(): void
}

/**
 * struct tpacket_block_desc: version(4) offset_to_priv(4) block_status(4) num_pkts(4) offset_to_first_pkt(4) ...
 * struct tpacket3_hdr:       next_offset(4) sec(4) nsec(4) snaplen(4) len(4) status(4) mac(2) net(2) rxhash(4) vlan_tci(4) vlan_tpid(2) padding(10)
 * then struct sockaddr_ll:   family(2) protocol(2, network order) ifindex(4) hatype(2) pkttype(1) halen(1) addr(8)
 */
export function mapRing(fd: number, blocks: number): Ring {
  const pointer = mmap(null, blockBytes * blocks, PROT_READ_WRITE, MAP_SHARED, fd, 0)
  if (BigInt.asIntN(64, koffi.address(pointer)) === -1n) throw captureFailure('mmap of the capture ring')
  const memory = koffi.view(pointer, blockBytes * blocks)
  const view = new DataView(memory)
  const words = new Int32Array(memory)
  const packet = emptyPacket()
  let block = 0
  return {
    view,
    bytes: new Uint8Array(memory),
    readBlock(each) {
      const start = block * blockBytes
      const status = (start + 8) >> 2
      if ((Atomics.load(words, status) & TP_STATUS_USER) === 0) return false
      let at = start + view.getUint32(start + 16, true)
      for (let left = view.getUint32(start + 12, true); left > 0; left--) {
        readPacket(view, at, packet)
        each(packet)
        at += view.getUint32(at, true)
      }
      Atomics.store(words, status, TP_STATUS_KERNEL)
      block = (block + 1) % blocks
      return true
    },
    unmap() {
      munmap(pointer, blockBytes * blocks)
    },
  }
}

function readPacket(view: DataView, at: number, into: RingPacket): void {
  const status = view.getUint32(at + 20, true)
  into.timeMs = view.getUint32(at + 4, true) * 1000 + view.getUint32(at + 8, true) / 1e6
  into.capturedBytes = view.getUint32(at + 12, true)
  into.wireBytes = view.getUint32(at + 16, true)
  into.checksumKnown = (status & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID)) !== 0
  into.at = at + view.getUint16(at + 24, true)
  into.protocol = view.getUint16(at + 50)
  into.interfaceIndex = view.getInt32(at + 52, true)
  into.packetType = view.getUint8(at + 58)
}

function emptyPacket(): RingPacket {
  return {
    at: 0,
    capturedBytes: 0,
    wireBytes: 0,
    protocol: 0,
    interfaceIndex: 0,
    packetType: 0,
    checksumKnown: false,
    timeMs: 0,
  }
}

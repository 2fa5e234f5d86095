// The kernel's packet socket, see packet(7): opened, filtered, bound, counted and closed.
import { release } from 'node:os'
import koffi from 'koffi'
import type { Failure } from '../../protocol/errors.ts'
import { type CaptureFeature, captureRefusal, packetSockets } from '../incoming/capture-failure.ts'

const AF_PACKET = 17
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const ETH_P_ALL = 0x0003
const SOL_SOCKET = 1
const SO_ATTACH_FILTER = 26
const SOL_PACKET = 263
const PACKET_STATISTICS = 6
const errnoNames = koffi.os.errno as Record<string, number>

const libc = koffi.load(null)
const socket = libc.func('int socket(int, int, int)')
const bind = libc.func('int bind(int, void *, unsigned int)')
const setsockopt = libc.func('int setsockopt(int, int, int, void *, unsigned int)')
const getsockopt = libc.func('int getsockopt(int, int, int, void *, void *)')
const close = libc.func('int close(int)')

export const errnoName = (errno: number): string =>
  Object.entries(errnoNames).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`

/** A capture that the kernel refuses, with the errno of the call that just failed. */
export function captureFailure(step: string, needs?: CaptureFeature): Failure {
  return captureRefusal({ step, errno: errnoName(koffi.errno()), needs }, release())
}

/**
 * A packet socket in the network namespace of the calling thread. It receives nothing until it is bound, so that no packet slips past the
 * filter. SOCK_DGRAM: packets begin at the network header, whatever the link is (Ethernet, tun, loopback).
 */
export function openPacketSocket(): number {
  const fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) throw captureFailure('socket(AF_PACKET)', packetSockets)
  return fd
}

/** Sets an option of level SOL_PACKET; false if the kernel refuses. */
export function setPacketOption(fd: number, option: number, value: Buffer): boolean {
  return setsockopt(fd, SOL_PACKET, option, value, value.length) === 0
}

/**
 * Replaces the filter in one step.
 *
 * struct sock_fprog: len(2) padding(6) pointer to the program(8)
 */
export function attachFilter(fd: number, program: Buffer): void {
  const fprog = Buffer.alloc(16)
  fprog.writeUInt16LE(program.length / 8, 0)
  fprog.writeBigUInt64LE(koffi.address(program), 8)
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, fprog.length) !== 0)
    throw captureFailure('setsockopt(SO_ATTACH_FILTER)')
}

/**
 * Begins to receive from all interfaces of the namespace, those that come later included.
 *
 * struct sockaddr_ll: family(2) protocol(2, network order) ifindex(4) hatype(2) pkttype(1) halen(1) addr(8)
 */
export function bindToAllInterfaces(fd: number): void {
  const address = Buffer.alloc(20)
  address.writeUInt16LE(AF_PACKET, 0)
  address.writeUInt16BE(ETH_P_ALL, 2)
  if (bind(fd, address, address.length) !== 0) throw captureFailure('bind(AF_PACKET)')
}

/**
 * Packets dropped because the ring was full, since the last call: the kernel sets its counters back when it is asked.
 *
 * struct tpacket_stats_v3: packets(4) drops(4) freeze_q_cnt(4)
 */
export function takeDrops(fd: number): number {
  const stats = Buffer.alloc(12)
  const length = Buffer.from(Uint32Array.of(stats.length).buffer)
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, stats, length) !== 0)
    throw captureFailure('getsockopt(PACKET_STATISTICS)')
  return stats.readUInt32LE(4)
}

export function closeSocket(fd: number): void {
  close(fd)
}

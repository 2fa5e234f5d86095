// Socket calls on our copies of a process's sockets: bind(2), listen(2), accept4(2), socket(7), poll(2).
import { fstatSync } from 'node:fs'
import { close, declare } from './libc.ts'

const SOL_SOCKET = 1
const SO_TYPE = 3
const SO_REUSEPORT = 15
const SO_ERROR = 4
const SO_RCVTIMEO = 20
const SO_SNDTIMEO = 21
const SO_ACCEPTCONN = 30
const SO_PROTOCOL = 38
const SO_DOMAIN = 39
const SO_COOKIE = 57
const SO_NETNS_COOKIE = 71
const F_GETFL = 3
const O_NONBLOCK = 0x800
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17
const TCP_INFO = 11
const TCP_FASTOPEN_CONNECT = 30
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
export const TCP_ESTABLISHED = 1
export const TCP_SYN_SENT = 2
export const TCP_SYN_RECV = 3
export const TCP_CLOSE = 7
const TCP_CLOSE_WAIT = 8
const IPPROTO_MPTCP = 262
const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const POLLIN = 1
export const POLLOUT = 4
export const POLLERR = 8
export const POLLHUP = 0x10
export const POLLRDHUP = 0x2000

const socketCall = declare<[number, number, number]>('int socket(int, int, int)')
const bindCall = declare<[number, Buffer, number]>('int bind(int, void*, uint)')
const connectCall = declare<[number, Buffer, number]>('int connect(int, void*, uint)')
const listenCall = declare<[number, number]>('int listen(int, int)')
const acceptCall = declare<[number, Buffer, Buffer, number]>('int accept4(int, void*, void*, int)')
const nameCall = declare<[number, Buffer, Buffer]>('int getsockname(int, void*, void*)')
const peerCall = declare<[number, Buffer, Buffer]>('int getpeername(int, void*, void*)')
const optionCall = declare<[number, number, number, Buffer, Buffer]>(
  'int getsockopt(int, int, int, void*, void*)',
)
const setOptionCall = declare<[number, number, number, Buffer, number]>(
  'int setsockopt(int, int, int, void*, uint)',
)
const fcntl = declare<[number, number, number]>('int fcntl(int, int, long)')
const pollCall = declare<[Buffer, number, number]>('int poll(void*, ulong, int)')

const length = Buffer.alloc(4)
const option = Buffer.alloc(16)
const name = Buffer.alloc(128)

function readOption(socket: number, level: number, which: number, size: number): number {
  length.writeUInt32LE(size)
  option.fill(0)
  return optionCall(socket, level, which, option, length)
}

const intOption = (socket: number, which: number): number =>
  readOption(socket, SOL_SOCKET, which, 4) < 0 ? -1 : option.readInt32LE(0)

/** The kernel's number of a socket, the same in every process that shares it; undefined when it is no socket. */
export const cookieOf = (socket: number): bigint | undefined =>
  readOption(socket, SOL_SOCKET, SO_COOKIE, 8) < 0 ? undefined : option.readBigUInt64LE(0)

/** The kernel's number of the socket's network namespace; 0 when the kernel cannot tell (before 5.14). */
export const namespaceOf = (socket: number): bigint =>
  readOption(socket, SOL_SOCKET, SO_NETNS_COOKIE, 8) < 0 ? 0n : option.readBigUInt64LE(0)

/** AF_INET or AF_INET6 when this is a TCP (or MPTCP) socket, else undefined. */
export function streamFamily(socket: number): number | undefined {
  if (intOption(socket, SO_TYPE) !== SOCK_STREAM) return undefined
  const family = intOption(socket, SO_DOMAIN)
  const protocol = intOption(socket, SO_PROTOCOL)
  const internet = family === AF_INET || family === AF_INET6
  return internet && (protocol === IPPROTO_TCP || protocol === IPPROTO_MPTCP) ? family : undefined
}

/** AF_INET or AF_INET6 when this is a UDP socket, else undefined. */
export function datagramFamily(socket: number): number | undefined {
  if (intOption(socket, SO_TYPE) !== SOCK_DGRAM || intOption(socket, SO_PROTOCOL) !== IPPROTO_UDP)
    return undefined
  const family = intOption(socket, SO_DOMAIN)
  return family === AF_INET || family === AF_INET6 ? family : undefined
}

/** SOCK_STREAM (1), SOCK_DGRAM (2) or SOCK_SEQPACKET (5) of a Unix socket, else undefined. */
export const unixTypeOf = (socket: number): number | undefined =>
  intOption(socket, SO_DOMAIN) === AF_UNIX ? intOption(socket, SO_TYPE) : undefined

/** The number by which /proc and the kernel's tables of sockets name it. */
export const inodeOf = (socket: number): number => fstatSync(socket).ino

export const sharesPort = (socket: number): boolean => intOption(socket, SO_REUSEPORT) === 1
export const isListening = (socket: number): boolean => intOption(socket, SO_ACCEPTCONN) === 1
export const isNonBlocking = (socket: number): boolean => (fcntl(socket, F_GETFL, 0) & O_NONBLOCK) !== 0

/** SO_RCVTIMEO in milliseconds, 0 for none: how long a blocking accept waits. */
export const receiveTimeoutMs = (socket: number): number => timeoutMs(socket, SO_RCVTIMEO)
/** SO_SNDTIMEO in milliseconds, 0 for none: how long a blocking connect waits. */
export const sendTimeoutMs = (socket: number): number => timeoutMs(socket, SO_SNDTIMEO)

// struct timeval: s64 seconds, s64 microseconds
function timeoutMs(socket: number, which: number): number {
  if (readOption(socket, SOL_SOCKET, which, 16) < 0) return 0
  return Number(option.readBigInt64LE(0)) * 1000 + Math.ceil(Number(option.readBigInt64LE(8)) / 1000)
}

/** SO_ERROR as a positive errno, 0 for none; asking clears it. */
export const takeError = (socket: number): number => Math.max(0, intOption(socket, SO_ERROR))
export const isOnlySix = (socket: number): boolean =>
  readOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, 4) >= 0 && option.readInt32LE(0) === 1

function setIntOption(socket: number, level: number, which: number, value: number): number {
  option.writeInt32LE(value, 0)
  return setOptionCall(socket, level, which, option, 4)
}

export const sharePort = (socket: number): number => setIntOption(socket, SOL_SOCKET, SO_REUSEPORT, 1)
/** A connect that would wait for the first data does not wait any more (TCP_FASTOPEN_CONNECT). */
export const connectAtOnce = (socket: number): number =>
  setIntOption(socket, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0)

export const bind = (socket: number, address: Buffer): number => bindCall(socket, address, address.length)
export const listen = (socket: number, backlog: number): number => listenCall(socket, backlog)
export const connect = (socket: number, address: Buffer): number =>
  connectCall(socket, address, address.length)
/** connect(2) with AF_UNSPEC: what is in progress or connected is neither any more. */
export const disconnect = (socket: number): number => connectCall(socket, Buffer.alloc(16), 16)
export const openStream = (family: number, options: { nonBlocking: boolean }): number =>
  socketCall(family, SOCK_STREAM | SOCK_CLOEXEC | (options.nonBlocking ? SOCK_NONBLOCK : 0), 0)

/** The state of a TCP socket, TCP_* of linux/tcp_states.h; 0 when it is none. */
export function tcpState(socket: number): number {
  // struct tcp_info begins with u8 state.
  return readOption(socket, IPPROTO_TCP, TCP_INFO, 1) < 0 ? 0 : option[0]!
}

/** Whether this end of a connection has said its last (shutdown, reset): it is in any state but those in which it may still send (tcp(7)). */
export function isEnding(socket: number): boolean {
  const state = tcpState(socket)
  return state !== 0 && state !== TCP_ESTABLISHED && state !== TCP_CLOSE_WAIT
}

function readName(result: number): Buffer | number {
  return result < 0 ? result : Buffer.from(name.subarray(0, Math.min(length.readUInt32LE(0), 128)))
}

/** The socket's own address as struct sockaddr, or a negative errno. */
export function socketName(socket: number): Buffer | number {
  length.writeUInt32LE(128)
  return readName(nameCall(socket, name, length))
}

/** The peer's address as struct sockaddr, or a negative errno. */
export function peerName(socket: number): Buffer | number {
  length.writeUInt32LE(128)
  return readName(peerCall(socket, name, length))
}

/** Takes a pending connection; `nonBlocking` is what the process asked for its new socket. Blocks when nothing is pending on a blocking listener. */
export function accept(
  listener: number,
  options: { nonBlocking: boolean },
): { socket: number; peer: Buffer } | number {
  length.writeUInt32LE(128)
  const socket = acceptCall(listener, name, length, SOCK_CLOEXEC | (options.nonBlocking ? SOCK_NONBLOCK : 0))
  if (socket < 0) return socket
  return { socket, peer: Buffer.from(name.subarray(0, Math.min(length.readUInt32LE(0), 128))) }
}

export type Watched = { descriptor: number; events: number }

/** poll(2); gives the events of each descriptor in the same order (0 for none), all 0 after the time-out or a signal. */
export function poll(watched: readonly Watched[], timeoutMs: number): number[] {
  // struct pollfd: s32 fd, s16 events, s16 revents
  const list = Buffer.alloc(8 * watched.length)
  for (const [index, { descriptor, events }] of watched.entries()) {
    list.writeInt32LE(descriptor, 8 * index)
    list.writeInt16LE(events, 8 * index + 4)
  }
  const ready = pollCall(list, watched.length, timeoutMs)
  return watched.map((_, index) => (ready <= 0 ? 0 : list.readInt16LE(8 * index + 6)))
}

/** The number of the network namespace that this thread makes sockets in. */
export function ownNamespace(): bigint {
  const socket = openStream(AF_INET, { nonBlocking: true })
  if (socket < 0) return 0n
  const namespace = namespaceOf(socket)
  close(socket)
  return namespace
}

const F_SETFL = 4
/** Sets or clears O_NONBLOCK of the open file, which all its descriptors share. */
export const setNonBlocking = (socket: number, { nonBlocking }: { nonBlocking: boolean }): number => {
  const flags = fcntl(socket, F_GETFL, 0)
  const wanted = nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
  return flags === wanted ? 0 : fcntl(socket, F_SETFL, wanted)
}

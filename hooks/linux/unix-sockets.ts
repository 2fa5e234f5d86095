// Abstract Unix sockets that carry descriptors between supervisor and guard (unix(7), SCM_RIGHTS, SO_PEERCRED).
import { addressOf, close, declare } from './libc.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_SEQPACKET = 5
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const SO_PEERCRED = 17
const MSG_NOSIGNAL = 0x4000
const MSG_CMSG_CLOEXEC = 0x40000000

const socketCall = declare<[number, number, number]>('int socket(int, int, int)')
const connectCall = declare<[number, Buffer, number]>('int connect(int, void*, uint)')
const bindCall = declare<[number, Buffer, number]>('int bind(int, void*, uint)')
const listenCall = declare<[number, number]>('int listen(int, int)')
const acceptCall = declare<[number, Buffer | null, Buffer | null, number]>(
  'int accept4(int, void*, void*, int)',
)
const sendCall = declare<[number, Buffer, number]>('long sendmsg(int, void*, int)')
const receiveCall = declare<[number, Buffer, number]>('long recvmsg(int, void*, int)')
const optionCall = declare<[number, number, number, Buffer, Buffer]>(
  'int getsockopt(int, int, int, void*, void*)',
)

export function abstractAddress(name: string): Buffer {
  const bytes = Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(name)])
  if (bytes.length > 110) throw new Error(`Cannot use socket name "${name}": it is longer than 107 bytes`)
  return bytes
}

// struct msghdr, 56 bytes: name pointer, u32 name length at 8, iovec pointer at 16, u64 count at 24, control pointer at 32, u64 length at 40,
// s32 flags at 48. struct cmsghdr, 16 bytes: u64 length, s32 level, s32 type; then the descriptors, s32 each.
function message(payload: Buffer, control: Buffer): { header: Buffer; vector: Buffer } {
  const vector = Buffer.alloc(16)
  vector.writeBigUInt64LE(addressOf(payload), 0)
  vector.writeBigUInt64LE(BigInt(payload.length), 8)
  const header = Buffer.alloc(56)
  header.writeBigUInt64LE(addressOf(vector), 16)
  header.writeBigUInt64LE(1n, 24)
  header.writeBigUInt64LE(addressOf(control), 32)
  header.writeBigUInt64LE(BigInt(control.length), 40)
  return { header, vector }
}

/** Sends bytes with descriptors; 0 or a negative errno. */
export function sendWithDescriptors(socket: number, payload: Buffer, descriptors: readonly number[]): number {
  const control = Buffer.alloc(16 + 8 * Math.ceil(descriptors.length / 2))
  control.writeBigUInt64LE(BigInt(16 + 4 * descriptors.length), 0)
  control.writeInt32LE(SOL_SOCKET, 8)
  control.writeInt32LE(SCM_RIGHTS, 12)
  for (const [index, descriptor] of descriptors.entries()) control.writeInt32LE(descriptor, 16 + 4 * index)
  const { header, vector } = message(payload, control)
  const sent = sendCall(socket, header, MSG_NOSIGNAL)
  return sent < 0 || vector.length === 0 ? sent : 0
}

/** Of the longest message, a registration with the guard. */
const payloadLimit = 16_384

/** Receives bytes and up to four descriptors, which the caller owns; an empty payload is the end. */
export function receiveWithDescriptors(socket: number): { payload: Buffer; descriptors: number[] } | number {
  const payload = Buffer.alloc(payloadLimit)
  const control = Buffer.alloc(32)
  const { header, vector } = message(payload, control)
  const got = receiveCall(socket, header, MSG_CMSG_CLOEXEC)
  if (got < 0 || vector.length === 0) return got
  const filled = Number(header.readBigUInt64LE(40)) >= 16 ? Number(control.readBigUInt64LE(0)) - 16 : 0
  const isRights = filled > 0 && control.readInt32LE(12) === SCM_RIGHTS
  const count = isRights ? Math.floor(filled / 4) : 0
  return {
    payload: payload.subarray(0, got),
    descriptors: Array.from({ length: count }, (_, index) => control.readInt32LE(16 + 4 * index)),
  }
}

/** A listening abstract socket, or a negative errno. */
export function listenAbstract(name: string, { nonBlocking = false, seqpacket = false } = {}): number {
  const type = seqpacket ? SOCK_SEQPACKET : SOCK_STREAM
  const socket = socketCall(AF_UNIX, type | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0), 0)
  if (socket < 0) return socket
  const address = abstractAddress(name)
  const result = bindCall(socket, address, address.length) || listenCall(socket, 64)
  if (result === 0) return socket
  close(socket)
  return result
}

export const acceptAbstract = (listener: number): number => acceptCall(listener, null, null, SOCK_CLOEXEC)

/** A connection to an abstract socket, or a negative errno. */
export function connectAbstract(name: string): number {
  const socket = socketCall(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
  if (socket < 0) return socket
  const address = abstractAddress(name)
  const result = connectCall(socket, address, address.length)
  if (result === 0) return socket
  close(socket)
  return result
}

/** User and process at the other end of a Unix socket, as the kernel knows them (struct ucred: s32 pid, u32 uid, u32 gid). */
export function peerOf(socket: number): { pid: number; user: number } {
  const credentials = Buffer.alloc(12)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(12)
  if (optionCall(socket, SOL_SOCKET, SO_PEERCRED, credentials, length) < 0)
    return { pid: 0, user: 0xffffffff }
  return { pid: credentials.readInt32LE(0), user: credentials.readUInt32LE(4) }
}

// The datagrams that one trapped call sends or wants to receive, whichever of the three calls it is: sendto, sendmsg, sendmmsg and their twins.
import {
  lengthOf,
  onePiece,
  readFar,
  readPieces,
  vectorBytes,
  vectorLimit,
  writeFar,
  writePieces,
} from '../../linux/far-memory.ts'
import { type Call, intArgument, threadOf } from '../../linux/notification.ts'
import {
  controlLengthAt,
  flagsAt,
  type MessageHeader,
  manyHeaderBytes,
  messageHeaderBytes,
  nameLengthAt,
  readMessageHeader,
  sentLengthAt,
} from '../../message-header.ts'
import type { CallName } from '../table.ts'

const EFAULT = 14
const EINVAL = 22
const EMSGSIZE = 90
/** What the kernel sends or receives in one call (UIO_MAXIOV). */
const manyLimit = 1024
/** As much as the kernel reads or writes at once, to which it cuts a longer plain buffer (MAX_RW_COUNT). */
const longest = 0x7ffff000n
const largestSize = 2n ** 63n - 1n
const nameLimit = 128
/** More than one datagram carries, so that the kernel refuses it in its own words. */
const payloadLimit = 70_000

/** How a call names its datagrams. */
export type Shape = 'one' | 'header' | 'many'

/** `at` is where the header lies; a call of shape `one` has none. */
export type Message = { header: MessageHeader; at: bigint }

export const shapeOf = (name: CallName | 'foreign'): Shape =>
  name === 'sendto' || name === 'recvfrom'
    ? 'one'
    : name === 'sendmsg' || name === 'recvmsg'
      ? 'header'
      : 'many'

const pointer = (call: Call, index: number): bigint => call.readBigUInt64LE(32 + 8 * index)

export const flagsOf = (call: Call, shape: Shape): number => intArgument(call, shape === 'header' ? 2 : 3)

/**
 * The headers of the call's datagrams, or a negative errno; none for a call that the kernel gives 0. Of many, those before the first that cannot
 * be read: the kernel goes through them one by one, and what comes before is sent.
 */
export function readMessages(call: Call, shape: Shape): Message[] | number {
  if (shape === 'one') return [{ at: 0n, header: plainHeader(call) }]
  const at = pointer(call, 1)
  const count = shape === 'header' ? 1 : Math.min(call.readUInt32LE(32 + 8 * 2), manyLimit)
  const size = shape === 'header' ? messageHeaderBytes : manyHeaderBytes
  const bytes = readFar(threadOf(call), at, count * size)
  if (typeof bytes === 'number') return count > 1 ? readOneByOne(call, at, count) : bytes
  return Array.from({ length: count }, (_, index) => ({
    at: at + BigInt(index * size),
    header: readMessageHeader(bytes.subarray(index * size)),
  }))
}

function readOneByOne(call: Call, first: bigint, count: number): Message[] | number {
  const messages: Message[] = []
  for (let index = 0; index < count; index++) {
    const at = first + BigInt(index * manyHeaderBytes)
    const bytes = readFar(threadOf(call), at, manyHeaderBytes)
    if (typeof bytes === 'number') return index === 0 ? bytes : messages
    messages.push({ at, header: readMessageHeader(bytes) })
  }
  return messages
}

/** sendto(socket, bytes, length, flags, address, size of the address), and recvfrom, whose size is a pointer. */
const plainHeader = (call: Call): MessageHeader => ({
  name: pointer(call, 4),
  nameLength: intArgument(call, 5),
  pieces: pointer(call, 1),
  pieceCount: 1,
  control: 0n,
  controlLength: 0,
})

/** The address that a datagram is for: undefined for none, a negative errno when it cannot be read. The kernel cuts a long one in a header. */
export function nameOf(call: Call, shape: Shape, { header }: Message): Buffer | undefined | number {
  if (header.name === 0n || header.nameLength === 0) return undefined
  if (header.nameLength < 0 || (shape === 'one' && header.nameLength > nameLimit)) return -EINVAL
  return readFar(threadOf(call), header.name, Math.min(header.nameLength, nameLimit))
}

/** The pieces of a datagram's bytes, or a negative errno. */
export function piecesOf(call: Call, shape: Shape, { header }: Message): Buffer | number {
  if (shape === 'one') {
    const length = pointer(call, 2)
    return onePiece(header.pieces, Number(length < longest ? length : longest))
  }
  if (header.pieceCount > vectorLimit) return -EMSGSIZE
  const pieces = readFar(threadOf(call), header.pieces, header.pieceCount * vectorBytes)
  return typeof pieces !== 'number' && hasNegative(pieces) ? -EINVAL : pieces
}

function hasNegative(pieces: Buffer): boolean {
  for (let at = 8; at < pieces.length; at += vectorBytes)
    if (pieces.readBigUInt64LE(at) > largestSize) return true
  return false
}

/** The bytes of a datagram that is sent, or a negative errno. */
export function payloadOf(call: Call, shape: Shape, message: Message): Buffer | number {
  const pieces = piecesOf(call, shape, message)
  if (typeof pieces === 'number') return pieces
  const size = sizeOf(pieces)
  return size > payloadLimit ? -EMSGSIZE : readPieces(threadOf(call), pieces, size)
}

export function sizeOf(pieces: Buffer): number {
  const size = lengthOf(pieces)
  return Number.isNaN(size) ? Number.MAX_SAFE_INTEGER : size
}

export type Filled = { result: number; payload: Buffer; name: Buffer; control: Buffer; flags: number }

/** Writes a received datagram as the kernel does, a name cut to the room for it; 0 or a negative errno. */
export function fillMessage(call: Call, shape: Shape, message: Message, pieces: Buffer, got: Filled): number {
  const thread = threadOf(call)
  const { at, header } = message
  const put = (address: bigint, bytes: Buffer) => writeFar(thread, address, bytes) === 0
  if (writePieces(thread, pieces, got.payload) < 0) return -EFAULT
  if (shape === 'one') return fillPlain(call, got.name)
  const cut = got.name.subarray(0, Math.max(0, header.nameLength))
  const [names, controls, flags] = [Buffer.alloc(4), Buffer.alloc(8), Buffer.alloc(4)]
  names.writeUInt32LE(got.name.length)
  controls.writeBigUInt64LE(BigInt(got.control.length))
  flags.writeInt32LE(got.flags)
  const isPut =
    (header.name === 0n || (put(header.name, cut) && put(at + BigInt(nameLengthAt), names))) &&
    put(header.control, got.control) &&
    put(at + BigInt(controlLengthAt), controls) &&
    put(at + BigInt(flagsAt), flags) &&
    (shape !== 'many' || tellLength(call, message, got.result) === 0)
  return isPut ? 0 : -EFAULT
}

function fillPlain(call: Call, name: Buffer): number {
  const lengthAt = pointer(call, 5)
  const thread = threadOf(call)
  const room = readFar(thread, lengthAt, 4)
  if (typeof room === 'number') return -EFAULT
  if (room.readInt32LE(0) < 0) return -EINVAL
  const told = Buffer.alloc(4)
  told.writeUInt32LE(name.length)
  const cut = name.subarray(0, room.readInt32LE(0))
  return writeFar(thread, pointer(call, 4), cut) < 0 || writeFar(thread, lengthAt, told) < 0 ? -EFAULT : 0
}

/** How many bytes of one of many were sent or received. */
export function tellLength(call: Call, { at }: Message, length: number): number {
  const told = Buffer.alloc(4)
  told.writeUInt32LE(length)
  return writeFar(threadOf(call), at + BigInt(sentLengthAt), told)
}

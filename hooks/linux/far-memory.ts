// Reads and writes any amount of the memory of a trapped process, also through its own lists of pieces (process_vm_readv(2)).
import { addressOf, declare } from './libc.ts'

const readv = declare<[number, Buffer, number, Buffer, number, number]>(
  'long process_vm_readv(int, void*, ulong, void*, ulong, ulong)',
)
const writev = declare<[number, Buffer, number, Buffer, number, number]>(
  'long process_vm_writev(int, void*, ulong, void*, ulong, ulong)',
)
const EFAULT = 14
/** struct iovec: pointer, u64 length. */
export const vectorBytes = 16
/** IOV_MAX: longer lists are refused by the kernel too. */
export const vectorLimit = 1024

/** A list with one piece. */
export function onePiece(address: bigint, length: number): Buffer {
  const vector = Buffer.alloc(vectorBytes)
  vector.writeBigUInt64LE(address, 0)
  vector.writeBigUInt64LE(BigInt(length), 8)
  return vector
}

/** How many bytes the pieces have together; NaN when that is no number that memory can have. */
export function lengthOf(vector: Buffer): number {
  let sum = 0n
  for (let at = 0; at < vector.length; at += vectorBytes) sum += vector.readBigUInt64LE(at + 8)
  return sum > BigInt(Number.MAX_SAFE_INTEGER) ? Number.NaN : Number(sum)
}

/** A copy of the first `length` bytes of the pieces, or a negative errno. */
export function readPieces(thread: number, vector: Buffer, length: number): Buffer | number {
  const bytes = Buffer.alloc(length)
  if (length === 0) return bytes
  const own = onePiece(addressOf(bytes), length)
  const got = readv(thread, own, 1, vector, vector.length / vectorBytes, 0)
  if (got < 0) return got
  return got === length ? bytes : -EFAULT
}

export const readFar = (thread: number, address: bigint, length: number): Buffer | number =>
  readPieces(thread, onePiece(address, length), length)

/** Writes into the pieces, which have room for it; 0 or a negative errno. */
export function writePieces(thread: number, vector: Buffer, bytes: Buffer): number {
  if (bytes.length === 0) return 0
  const own = onePiece(addressOf(bytes), bytes.length)
  const put = writev(thread, own, 1, vector, vector.length / vectorBytes, 0)
  if (put < 0) return put
  return put === bytes.length ? 0 : -EFAULT
}

export const writeFar = (thread: number, address: bigint, bytes: Buffer): number =>
  writePieces(thread, onePiece(address, bytes.length), bytes)

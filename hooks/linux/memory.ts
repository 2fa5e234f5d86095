// Reads and writes the memory of a trapped process (process_vm_readv(2)).
import { addressOf, declare } from './libc.ts'
import { type Call, threadOf } from './notification.ts'

const readv = declare<[number, Buffer, number, Buffer, number, number]>(
  'long process_vm_readv(int, void*, ulong, void*, ulong, ulong)',
)
const writev = declare<[number, Buffer, number, Buffer, number, number]>(
  'long process_vm_writev(int, void*, ulong, void*, ulong, ulong)',
)

// struct iovec: pointer, u64 length; ours points to one scratch area for good, theirs is copied from the call's argument.
const scratch = Buffer.alloc(512)
const ours = Buffer.alloc(16)
ours.writeBigUInt64LE(addressOf(scratch), 0)
const theirs = Buffer.alloc(16)

function aim(call: Call, argument: number, length: number): void {
  ours.writeUInt32LE(length, 8)
  call.copy(theirs, 0, 32 + 8 * argument, 40 + 8 * argument)
  theirs.writeUInt32LE(length, 8)
}

/** A copy of `length` bytes (at most 512) where the call's argument points, or a negative errno; a partial read is EFAULT. */
export function readMemory(call: Call, argument: number, length: number): Buffer | number {
  aim(call, argument, length)
  const got = readv(threadOf(call), ours, 1, theirs, 1, 0)
  if (got < 0) return got
  return got === length ? Buffer.from(scratch.subarray(0, length)) : -14
}

const pageBytes = 4096

/**
 * The first bytes (at most 512) of the C string where the call's argument points, its NUL included if it is among them; fewer at the end of a page
 * that has no next one, or a negative errno. They are valid until the next call of this module.
 */
export function peekString(call: Call, argument: number, length: number): Buffer | number {
  // Its low bits are enough, and this is asked for every file that a program opens.
  const toPageEnd = pageBytes - (call.readUInt16LE(32 + 8 * argument) & (pageBytes - 1))
  const first = peek(call, argument, Math.min(length, toPageEnd))
  if (typeof first === 'number' || toPageEnd >= length || first.includes(0)) return first
  const all = peek(call, argument, length)
  return typeof all === 'number' ? peek(call, argument, toPageEnd) : all
}

function peek(call: Call, argument: number, length: number): Buffer | number {
  aim(call, argument, length)
  const got = readv(threadOf(call), ours, 1, theirs, 1, 0)
  return got < 0 ? got : scratch.subarray(0, got)
}

/** Writes bytes (at most 512) where the call's argument points; 0 or a negative errno. */
export function writeMemory(call: Call, argument: number, bytes: Buffer): number {
  if (bytes.length === 0) return 0
  bytes.copy(scratch)
  aim(call, argument, bytes.length)
  const put = writev(threadOf(call), ours, 1, theirs, 1, 0)
  if (put < 0) return put
  return put === bytes.length ? 0 : -14
}

/** Whether the system call is allowed at all here: a read of our own memory. */
export function canReadMemory(): boolean {
  const target = Buffer.alloc(8)
  const own = Buffer.alloc(16)
  own.writeBigUInt64LE(addressOf(target), 0)
  own.writeUInt32LE(8, 8)
  ours.writeUInt32LE(8, 8)
  return readv(process.pid, ours, 1, own, 1, 0) === 8
}

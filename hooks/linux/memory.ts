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
const scratch = Buffer.alloc(256)
const ours = Buffer.alloc(16)
ours.writeBigUInt64LE(addressOf(scratch), 0)
const theirs = Buffer.alloc(16)

function aim(call: Call, argument: number, length: number): void {
  ours.writeUInt32LE(length, 8)
  call.copy(theirs, 0, 32 + 8 * argument, 40 + 8 * argument)
  theirs.writeUInt32LE(length, 8)
}

/** A copy of `length` bytes (at most 256) where the call's argument points, or a negative errno; a partial read is EFAULT. */
export function readMemory(call: Call, argument: number, length: number): Buffer | number {
  aim(call, argument, length)
  const got = readv(threadOf(call), ours, 1, theirs, 1, 0)
  if (got < 0) return got
  return got === length ? Buffer.from(scratch.subarray(0, length)) : -14
}

/** Writes bytes (at most 256) where the call's argument points; 0 or a negative errno. */
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

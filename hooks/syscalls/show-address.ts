// Writes an address for a trapped process the way the kernel's own calls do: cut to the caller's buffer, with the full length told (accept(2)).
import { readMemory, writeMemory } from '../linux/memory.ts'
import type { Call } from '../linux/notification.ts'

const EFAULT = 14
const EINVAL = 22

/** How many bytes fit and which length is told, or a negative errno. */
export function cutAddress(room: number, address: Buffer): { bytes: Buffer; told: number } | number {
  if (room < 0) return -EINVAL
  return { bytes: address.subarray(0, Math.min(room, address.length)), told: address.length }
}

/** The room that the process has for an address (its `socklen_t`), or a negative errno. */
export function roomFor(call: Call, lengthArgument: number): number {
  const bytes = readMemory(call, lengthArgument, 4)
  if (typeof bytes === 'number') return -EFAULT
  const room = bytes.readInt32LE(0)
  return room < 0 ? -EINVAL : room
}

/** Writes an address where arguments 1 (buffer) and 2 (length) point; 0 or a negative errno. */
export function showAddress(call: Call, address: Buffer): number {
  const room = roomFor(call, 2)
  if (room < 0) return room
  const cut = cutAddress(room, address)
  if (typeof cut === 'number') return cut
  if (writeMemory(call, 1, cut.bytes) < 0) return -EFAULT
  const told = Buffer.alloc(4)
  told.writeUInt32LE(cut.told)
  return writeMemory(call, 2, told) < 0 ? -EFAULT : 0
}

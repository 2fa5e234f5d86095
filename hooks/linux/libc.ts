// The C library reached through koffi, and the convention of this folder: a call gives its result, or the errno as a negative number.
import { constants } from 'node:os'
import koffi from 'koffi'

export const libc = koffi.load(null)

/** Declares a C function whose failure is -1 with errno; what it gives is the result or -errno, as the kernel itself does. */
export function declare<A extends unknown[]>(prototype: string): (...args: A) => number {
  const call = libc.func(prototype)
  return (...args) => {
    const result = Number(call(...args))
    return result < 0 ? -koffi.errno() : result
  }
}

/** Where a buffer's bytes lie, for structs that point to them; the buffer must stay referenced while the kernel uses it. */
export const addressOf = (bytes: Uint8Array): bigint => koffi.address(bytes)

/** Names of errno values, for messages: `errnoName(13)` is "EACCES". */
export function errnoName(errno: number): string {
  return (
    Object.entries(constants.errno).find(([, value]) => value === Math.abs(errno))?.[0] ?? `errno ${errno}`
  )
}

const closeCall = declare<[number]>('int close(int)')
/** close(2): for descriptors that came from this folder, which Node does not know of. */
export const close = (descriptor: number): number => closeCall(descriptor)

export const setDescriptor = declare<[from: number, to: number]>('int dup2(int, int)')

/** dup(2) */
export const duplicate = declare<[number]>('int dup(int)')

const exitCall = libc.func('void _exit(int)')
/** _exit(2): ends the process at once; process.exit would wait for a thread that is inside a blocking call. */
export function exitAtOnce(code: number): never {
  exitCall(code)
  throw new Error('unreachable')
}

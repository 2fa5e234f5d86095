// Files that exist in memory alone and are given to processes: sealed, and each opening is one of its own (memfd_create(2)).
import { closeSync, fchmodSync, openSync, writeSync } from 'node:fs'
import { close, declare, errnoName } from './libc.ts'

const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
const F_ADD_SEALS = 1033
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE */
const allSeals = 15

const memfdCreate = declare<[string, number]>('int memfd_create(char*, uint)')
const fcntl = declare<[number, number, number]>('int fcntl(int, int, int)')

export type GivenFile = {
  /** A descriptor at the file's start, to be closed by the caller; or a negative errno. */
  open(): number
  close(): void
}

/** The name is what /proc/PID/fd shows of it. Throws when the kernel gives no such file. */
export function makeGivenFile(name: string, text: string): GivenFile {
  const descriptor = memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)
  if (descriptor < 0) throw new Error(`Cannot make a file in memory: ${errnoName(descriptor)}`)
  writeAll(descriptor, Buffer.from(text))
  fchmodSync(descriptor, 0o644)
  fcntl(descriptor, F_ADD_SEALS, allSeals)
  return {
    open() {
      try {
        return openSync(`/proc/self/fd/${descriptor}`, 'r')
      } catch (error) {
        return (error as NodeJS.ErrnoException).errno ?? -5
      }
    },
    close: () => void close(descriptor),
  }
}

/** What `open` gave. */
export const closeGiven = (descriptor: number): void => closeSync(descriptor)

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
}

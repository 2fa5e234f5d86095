// Reads a file as a process sees it: its path is followed from the process's root and never leaves it (openat2(2), RESOLVE_IN_ROOT).
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import koffi from 'koffi'
import { lastError } from './libc.ts'

const openat2Number = 437
const RESOLVE_IN_ROOT = 0x10n
const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000

const openat2 = koffi
  .load(null)
  .func('long syscall(long number, long folder, str path, void *how, ulong size)') as (
  number: number,
  folder: number,
  path: string,
  how: Buffer,
  size: number,
) => number

/** At most `maxBytes` of a regular file. Throws with the `code` of the errno: ENOENT, EACCES, EINVAL where it is no regular file. */
export function readInRoot(pid: number | 'self', path: string, maxBytes: number): Buffer {
  const root = openSync(`/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY)
  try {
    const file = openIn(root, path)
    try {
      if (!fstatSync(file).isFile()) throw withCode('EINVAL', path)
      return readUpTo(file, maxBytes)
    } finally {
      closeSync(file)
    }
  } finally {
    closeSync(root)
  }
}

// struct open_how, 24 bytes: u64 flags, u64 mode, u64 resolve
function openIn(root: number, path: string): number {
  const how = Buffer.alloc(24)
  // A pipe with no writer must not hold us.
  how.writeBigUInt64LE(BigInt(constants.O_RDONLY | constants.O_NONBLOCK | O_CLOEXEC), 0)
  how.writeBigUInt64LE(RESOLVE_IN_ROOT, 16)
  const file = Number(openat2(openat2Number, root, path, how, how.length))
  if (file < 0) throw withCode(lastError(), path)
  return file
}

function withCode(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`Cannot read ${path} of the target: ${code}`), { code })
}

function readUpTo(file: number, maxBytes: number): Buffer {
  const bytes = Buffer.alloc(maxBytes)
  let length = 0
  while (length < maxBytes) {
    const got = readSync(file, bytes, length, maxBytes - length, null)
    if (got === 0) break
    length += got
  }
  return bytes.subarray(0, length)
}

// Opens files as a process sees them: a path is followed from the process's root and never leaves it (openat2(2), RESOLVE_IN_ROOT).
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import koffi from 'koffi'
import { lastError } from './libc.ts'

const openat2Number = 437
const RESOLVE_IN_ROOT = 0x10n
const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
/** The kernel asks for another try when something was renamed meanwhile. */
const maxTries = 16

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
  // A pipe with no writer must not hold us.
  return openInRoot(pid, path, constants.O_RDONLY | constants.O_NONBLOCK, file => {
    if (!fstatSync(file).isFile()) throw withCode('EINVAL', path)
    return readUpTo(file, maxBytes)
  })
}

/** While `use` runs, its argument is a path of this process for the file, of whatever kind. Throws with the `code` of the errno. */
export function withPathInRoot<T>(pid: number | 'self', path: string, use: (ownPath: string) => T): T {
  return openInRoot(pid, path, O_PATH, file => use(`/proc/self/fd/${file}`))
}

function openInRoot<T>(pid: number | 'self', path: string, flags: number, use: (file: number) => T): T {
  const root = openSync(`/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY)
  try {
    const file = openIn(root, path, flags)
    try {
      return use(file)
    } finally {
      closeSync(file)
    }
  } finally {
    closeSync(root)
  }
}

// struct open_how, 24 bytes: u64 flags, u64 mode, u64 resolve
function openIn(root: number, path: string, flags: number): number {
  const how = Buffer.alloc(24)
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0)
  how.writeBigUInt64LE(RESOLVE_IN_ROOT, 16)
  for (let tries = 1; ; tries++) {
    const file = Number(openat2(openat2Number, root, path, how, how.length))
    if (file >= 0) return file
    const errno = lastError()
    if (errno !== 'EAGAIN' || tries === maxTries) throw withCode(errno, path)
  }
}

function withCode(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`Cannot open ${path} of the target: ${code}`), { code })
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

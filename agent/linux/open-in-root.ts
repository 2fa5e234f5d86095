// Opens files as the target sees them: no link and no ".." leads out of its root (openat2(2), RESOLVE_IN_ROOT).
//
//   struct open_how   0 flags u64 | 8 mode u64 | 16 resolve u64        24 bytes
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { lastError, openat2 } from './libc.ts'

const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const RESOLVE_IN_ROOT = 0x10
/** The kernel asks for another try when something was renamed meanwhile. */
const maxTries = 16
/** A hosts file of a pod has a few lines. */
const maxTextBytes = 1 << 20

export type RootFiles = {
  /** Undefined when there is no such file; throws an error with the `code` of any other reason. Throws EFBIG beyond 1 MiB. */
  readText(path: string): string | undefined
  /** While `use` runs, its argument is a path of this process for the file, of whatever kind, that the target sees at `path`. */
  withPath<T>(path: string, use: (ownPath: string) => T): T
}

/** `isEnded` is asked once the root is open, so that it is known to be the target's and not a later process's of the same pid. */
export function filesOf(pid: number | 'self', isEnded: () => boolean = () => false): RootFiles {
  const open = (path: string, flags: number) => openIn(pid, isEnded, path, flags)
  return {
    readText(path) {
      // A FIFO or a device in the file's place must not hold us up.
      const fd = unlessMissing(() =>
        open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY),
      )
      return fd === undefined ? undefined : closing(fd, () => readAll(fd))
    },
    withPath(path, use) {
      const fd = open(path, O_PATH)
      return closing(fd, () => use(`/proc/self/fd/${fd}`))
    },
  }
}

function openIn(pid: number | 'self', isEnded: () => boolean, path: string, flags: number): number {
  const root = openSync(`/proc/${pid}/root`, O_PATH | O_CLOEXEC)
  return closing(root, () => {
    if (isEnded()) throw errnoError('ESRCH', path)
    const how = Buffer.alloc(24)
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0)
    how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT), 16)
    let errno = ''
    for (let tries = 0; tries < maxTries; tries++) {
      const fd = openat2(root, path, how)
      if (fd >= 0) return fd
      errno = lastError()
      if (errno !== 'EAGAIN' && errno !== 'EINTR') break
    }
    throw errnoError(errno, path)
  })
}

function readAll(fd: number): string {
  if (!fstatSync(fd).isFile()) throw errnoError('EINVAL', 'what is no regular file')
  const bytes = Buffer.alloc(maxTextBytes)
  let length = 0
  for (;;) {
    const more = readSync(fd, bytes, length, bytes.length - length, null)
    if (more === 0) return bytes.toString('utf8', 0, length)
    length += more
    if (length === bytes.length) throw errnoError('EFBIG', 'a file of the target')
  }
}

function closing<T>(fd: number, use: () => T): T {
  try {
    return use()
  } finally {
    closeSync(fd)
  }
}

function unlessMissing<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function errnoError(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`Cannot open ${path}: ${code}`), { code })
}

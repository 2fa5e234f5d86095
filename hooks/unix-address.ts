// Addresses of Unix sockets as struct sockaddr_un bytes (unix(7)), and the name by which one is chosen and dialled: an absolute path, or @NAME.
import { resolve } from 'node:path'
import { folderOf } from './linux/processes.ts'

// struct sockaddr_un   0 u16 family 1 | 2 path up to a NUL or the end; or a NUL and an abstract name, as long as the address says
export const AF_UNIX = 1
const mostBytes = 110

/** `isExact`: the text is all that there is; a name that is no UTF-8 cannot be said in a message. */
export type UnixName = { name: string; isExact: boolean }

/** Undefined for other families, for an address without a name, and for one that the kernel refuses. */
export function readUnixName(bytes: Buffer): UnixName | undefined {
  if (bytes.length <= 2 || bytes.length > mostBytes || bytes.readUInt16LE(0) !== AF_UNIX) return undefined
  const isAbstract = bytes[2] === 0
  const raw = isAbstract ? bytes.subarray(3) : bytes.subarray(2, pathEnd(bytes))
  const text = raw.toString('utf8')
  return { name: isAbstract ? `@${text}` : text, isExact: Buffer.from(text).equals(raw) }
}

/** As `readUnixName`, a path from the folder in which the thread is. One of a process that cannot be looked at stays as it is. */
export function nameFor(thread: number, bytes: Buffer): UnixName | undefined {
  const read = readUnixName(bytes)
  if (read === undefined || bytes[2] === 0 || read.name.startsWith('/')) return read
  const folder = folderOf(thread)
  return folder === undefined ? read : { ...read, name: resolve(folder, read.name) }
}

/** What getpeername shows of a listener that is bound there: a path with its NUL. */
export function shownUnix(bytes: Buffer): Buffer {
  if (bytes[2] === 0) return bytes
  return Buffer.concat([bytes.subarray(0, pathEnd(bytes)), Buffer.alloc(1)])
}

function pathEnd(bytes: Buffer): number {
  const end = bytes.indexOf(0, 2)
  return end < 0 ? bytes.length : end
}

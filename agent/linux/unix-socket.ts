// Connects to Unix sockets by their exact names (unix(7)): libuv 1.46 and older pad abstract ones to the full length of an address.
//
//   struct sockaddr_un   0 family u16 | 2 path, or a NUL and an abstract name, as long as the address says
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Readiness } from '../../protocol/sequenced/readiness.ts'
import { openSequenced } from '../../protocol/sequenced/socket.ts'
import { SequencedStream } from '../../protocol/sequenced/stream.ts'
import { connect, lastError, socket } from './libc.ts'
import { sequencedCalls } from './sequenced.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_SEQPACKET = 5
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000

const readiness = new Readiness(sequencedCalls)

/** `name` is a path of this process, or "@NAME". Never waits: throws an error whose `code` is the errno, EAGAIN when the listener's queue is full. */
export function connectUnix(name: string, { seqpacket = false } = {}): Duplex {
  const path = Buffer.from(name.startsWith('@') ? `\0${name.slice(1)}` : name)
  const type = seqpacket ? SOCK_SEQPACKET : SOCK_STREAM
  const fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) throw errnoError(lastError(), name)
  const address = Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), path])
  if (connect(fd, address, address.length) < 0) {
    const errno = lastError()
    closeSync(fd)
    throw errnoError(errno, name)
  }
  if (seqpacket) return new SequencedStream(openSequenced(fd, readiness, sequencedCalls))
  return new Socket({ fd, allowHalfOpen: true, readable: true, writable: true })
}

function errnoError(code: string, name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`Cannot connect to ${name}: ${code}`), { code })
}

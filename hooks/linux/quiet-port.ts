// Connections over loopback that stay in progress until somebody decides: a listener that drops every SYN, and what completes a connection to it
// from the other side (simultaneous open, RFC 9293 section 3.5) or refused. It needs no right.
import type { Endpoint } from '../../protocol/codec.ts'
import { AF_INET, AF_INET6, readAddress, writeAddress } from '../address.ts'
import { close } from './libc.ts'
import {
  bind,
  connect,
  disconnect,
  listen,
  openStream,
  POLLOUT,
  poll,
  sharePort,
  socketName,
  takeError,
} from './sockets.ts'

const EADDRNOTAVAIL = 99
const settledMs = 50
/** A queue of length 0 takes one connection, or two on some kernels. */
const maxFillers = 8

const familyOf = (address: string): number => (address.includes(':') ? AF_INET6 : AF_INET)

/** A listener on a loopback address whose accept queue is full, so that the kernel drops the SYN of whoever connects. Its port, or a negative errno. */
export function openQuietPort(address: string): number {
  const family = familyOf(address)
  const listener = openStream(family, { nonBlocking: true })
  if (listener < 0) return listener
  const result =
    sharePort(listener) || bind(listener, writeAddress(family, { address, port: 0 })) || listen(listener, 0)
  const port = result < 0 ? result : portOf(listener)
  if (port > 0 && fill(family, { address, port })) return port
  close(listener)
  return port < 0 ? port : -EADDRNOTAVAIL
}

/** Connections that stay open for good, until one more stays in progress. */
function fill(family: number, to: Endpoint): boolean {
  for (let count = 0; count < maxFillers; count++) {
    const filler = openStream(family, { nonBlocking: true })
    if (filler < 0) return false
    connect(filler, writeAddress(family, to))
    // Over loopback the handshake is done when connect returns, or a moment later on a busy machine.
    if (poll([{ descriptor: filler, events: POLLOUT }], settledMs)[0] === 0) {
      close(filler)
      return true
    }
  }
  return false
}

function portOf(socket: number): number {
  const name = socketName(socket)
  return typeof name === 'number' ? name : (readAddress(name)?.port ?? 0)
}

/** A socket that is bound to the quiet endpoint, owned by the caller, or a negative errno. Its connect to where a connection is in progress from completes that. */
export function openEnd(quiet: Endpoint): number {
  const family = familyOf(quiet.address)
  const socket = openStream(family, { nonBlocking: true })
  if (socket < 0) return socket
  const result = sharePort(socket) || bind(socket, writeAddress(family, quiet))
  if (result === 0) return socket
  close(socket)
  return result
}

/** A loopback port that stays bound and never listens: a connect to it is refused. The port, or a negative errno. */
export function openClosedPort(address: string): number {
  const family = familyOf(address)
  const socket = openStream(family, { nonBlocking: true })
  if (socket < 0) return socket
  const result = bind(socket, writeAddress(family, { address, port: 0 }))
  if (result === 0) return portOf(socket)
  close(socket)
  return result
}

/** Ends a connection in progress; its socket is as it was before connect. */
export function abandon(socket: number): void {
  disconnect(socket)
  // ECONNRESET, which is nobody's business.
  takeError(socket)
}

/** Ends a connection in progress with ECONNREFUSED, so that poll and SO_ERROR of the process tell. */
export function refuse(socket: number, closed: Buffer): number {
  disconnect(socket)
  return connect(socket, closed)
}

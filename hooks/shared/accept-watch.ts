// Frees the answerer from an accept that found nothing: another thread, whose accept without an address is not trapped, was quicker after the poll.
// A listener that blocks cannot be asked otherwise, because O_NONBLOCK and SO_RCVTIMEO belong to all who share it.

import { isWildcard } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { readAddress, writeAddress } from '../address.ts'
import { close } from '../linux/libc.ts'
import { AF_INET6, bind, connect, openStream, socketName } from '../linux/sockets.ts'
import type { Listener } from '../syscalls/world.ts'

// 0 s32 odd while the answerer is inside accept   4 s32 source port of the bell, 0 for none   8 u64 cookie of the listener
const bytes = 16
/** An accept takes microseconds; one that lasts through a whole interval is stuck. */
const intervalMs = 250
/** How long the bell's end stays open, so that the answerer meets a connection and not a reset. */
const bellMs = 1000

export type AcceptWatch = {
  /** Runs an accept that may find nothing; it is freed by a bell then. */
  during<T>(listener: Listener, accept: () => T): T
  /** Whether an accepted connection is the bell that freed us. */
  isBell(peer: Endpoint): boolean
}

export const makeAcceptWatch = (): SharedArrayBuffer => new SharedArrayBuffer(bytes)

/** The answerer's side. */
export function openAcceptWatch(memory: SharedArrayBuffer): AcceptWatch {
  const words = new Int32Array(memory)
  const cookies = new BigUint64Array(memory)
  return {
    during(listener, accept) {
      cookies[1] = listener.cookie
      Atomics.add(words, 0, 1)
      try {
        return accept()
      } finally {
        Atomics.add(words, 0, 1)
      }
    },
    isBell: peer => peer.port === Atomics.load(words, 1),
  }
}

/** The supervisor's side: looks four times a second, and connects to a listener in whose accept the answerer is stuck. */
export function watchAccepts(
  memory: SharedArrayBuffer,
  find: (cookie: bigint) => Listener | undefined,
): NodeJS.Timeout {
  const words = new Int32Array(memory)
  const cookies = new BigUint64Array(memory)
  let before = 0
  return setInterval(() => {
    const sequence = Atomics.load(words, 0)
    const isStuck = sequence % 2 !== 0 && sequence === before
    before = sequence
    const listener = isStuck ? find(cookies[1]!) : undefined
    if (listener !== undefined) ring(listener, port => Atomics.store(words, 1, port))
  }, intervalMs)
}

/** The port is made known before the connection, so that the answerer cannot meet it unknown. */
function ring({ family, actual }: Listener, announce: (port: number) => void): void {
  const socket = openStream(family, { nonBlocking: true })
  if (socket < 0) return
  bind(socket, writeAddress(family, { address: family === AF_INET6 ? '::' : '0.0.0.0', port: 0 }))
  const name = socketName(socket)
  announce(typeof name === 'number' ? 0 : (readAddress(name)?.port ?? 0))
  const loopback = family === AF_INET6 && actual.address.includes(':') ? '::1' : '127.0.0.1'
  const address = isWildcard(actual.address) ? loopback : actual.address
  connect(socket, writeAddress(family, { address, port: actual.port }))
  setTimeout(() => {
    announce(0)
    close(socket)
  }, bellMs)
}

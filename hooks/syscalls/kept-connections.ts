// Connections that were accepted for a call which a signal ended: they wait for the next accept, and a doorbell keeps their listener readable.

import { isWildcard } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { readAddress, writeAddress } from '../address.ts'
import { close } from '../linux/libc.ts'
import {
  AF_INET6,
  accept,
  connect,
  openStream,
  POLLERR,
  POLLHUP,
  POLLIN,
  poll,
  socketName,
} from '../linux/sockets.ts'
import type { AcceptWatch } from '../shared/accept-watch.ts'
import type { Listener } from './world.ts'

/** Connections kept for one listener; more than that only a program could cause that is interrupted for ever. */
const keptLimit = 1024

export type Kept = { readonly socket: number; readonly peer: Buffer }
type Queue = { connections: Kept[]; doorbell: Doorbell | undefined }
type Doorbell = { socket: number; from: Endpoint }

export type KeptConnections = {
  put(listener: Listener, connection: Kept): void
  queue(listener: Listener): Queue | undefined
  /** Lets go of what was kept for listeners that have been closed, which their doorbells notice. */
  sweep(): void
  /** Whether an accepted connection is the listener's doorbell; it then has rung. */
  isDoorbell(listener: Listener, peer: Endpoint): boolean
  /** Another thread has taken the doorbell of a listener for which nothing is kept any more. */
  forget(listener: Listener): void
}

export function makeKeptConnections(): KeptConnections {
  const queues = new Map<bigint, Queue>()
  return {
    put(listener, connection) {
      const queue = queues.get(listener.cookie) ?? { connections: [], doorbell: undefined }
      queues.set(listener.cookie, queue)
      queue.connections.push(connection)
      if (queue.connections.length > keptLimit) close(queue.connections.shift()!.socket)
      queue.doorbell ??= ring(listener)
    },
    queue: listener => queues.get(listener.cookie),
    sweep() {
      for (const [cookie, { connections, doorbell }] of queues) {
        if (doorbell === undefined) continue
        const [events = 0] = poll([{ descriptor: doorbell.socket, events: 0 }], 0)
        if ((events & (POLLERR | POLLHUP)) === 0) continue
        for (const { socket } of [...connections, doorbell]) close(socket)
        queues.delete(cookie)
      }
    },
    forget({ cookie }) {
      const doorbell = queues.get(cookie)?.doorbell
      if (doorbell !== undefined) close(doorbell.socket)
      queues.delete(cookie)
    },
    isDoorbell(listener, peer) {
      const queue = queues.get(listener.cookie)
      if (queue?.doorbell === undefined || !isSame(queue.doorbell.from, peer)) return false
      close(queue.doorbell.socket)
      queue.doorbell = undefined
      // Others may still be kept: the listener has to stay readable for them.
      if (queue.connections.length > 0) queue.doorbell = ring(listener)
      else queues.delete(listener.cookie)
      return true
    },
  }
}

const isSame = (one: Endpoint, other: Endpoint) => one.address === other.address && one.port === other.port

/** The oldest kept connection of a listener; the last one takes the doorbell out of the queue, so that poll does not wake for nothing. */
export function takeKept(
  kept: KeptConnections,
  copy: number,
  listener: Listener,
  watch: AcceptWatch,
): Kept | undefined {
  const queue = kept.queue(listener)
  const first = queue?.connections.shift()
  if (queue === undefined || first === undefined) return undefined
  if (queue.connections.length > 0 || queue.doorbell === undefined) return first
  if (poll([{ descriptor: copy, events: POLLIN }], 0)[0] !== POLLIN) return first
  // Another thread, whose accept is not trapped, may be quicker after the poll.
  const next = watch.during(listener, () => accept(copy, { nonBlocking: false }))
  const peer = typeof next === 'number' ? undefined : readAddress(next.peer)
  if (typeof next === 'number') kept.forget(listener)
  else if (peer !== undefined && watch.isBell(peer)) {
    close(next.socket)
    kept.forget(listener)
  } else if (peer !== undefined && kept.isDoorbell(listener, peer)) close(next.socket)
  else kept.put(listener, next)
  return first
}

/** Connects to the listener without waiting; accept meets this connection where the kept one would have been. */
function ring(listener: Listener): Doorbell | undefined {
  const { family, actual } = listener
  const socket = openStream(family, { nonBlocking: true })
  if (socket < 0) return undefined
  const loopback = family === AF_INET6 && actual.address.includes(':') ? '::1' : '127.0.0.1'
  const address = isWildcard(actual.address) ? loopback : actual.address
  connect(socket, writeAddress(family, { address, port: actual.port }))
  const name = socketName(socket)
  const from = typeof name === 'number' ? undefined : readAddress(name)
  if (from !== undefined && from.port !== 0) return { socket, from }
  close(socket)
  return undefined
}

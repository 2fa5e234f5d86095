// Answers accept and accept4 that want an address: accepts for the process, and shows the caller of a delivered connection.
import { readAddress, writeAddress } from '../address.ts'
import { close } from '../linux/libc.ts'
import {
  type Call,
  intArgument,
  isAlive,
  numberOf,
  sendDescriptor,
  sendResult,
} from '../linux/notification.ts'
import {
  accept,
  cookieOf,
  isEnding,
  isListening,
  isNonBlocking,
  namespaceOf,
  POLLIN,
  poll,
  receiveTimeoutMs,
  setNonBlocking,
  streamFamily,
} from '../linux/sockets.ts'
import type { AcceptWatch } from '../shared/accept-watch.ts'
import { type Kept, type KeptConnections, takeKept } from './kept-connections.ts'
import { registerListener } from './listen.ts'
import { warnOfDummy } from './names.ts'
import { roomFor, showAddress } from './show-address.ts'
import type { WaitingCalls } from './waiting-calls.ts'
import { withCopy } from './with-copy.ts'
import { done, give, type Listener, leaveAlone, type Outcome, type World } from './world.ts'

const EAGAIN = 11
const EINVAL = 22
const ENOENT = 2
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000

export type Accepting = {
  readonly world: World
  readonly waiting: WaitingCalls<Listener>
  readonly kept: KeptConnections
  readonly watch: AcceptWatch
  /** The number of accept4, whose flags are the fourth argument. */
  readonly accept4: number
}

export const answerAccept = (call: Call, accepting: Accepting): Outcome =>
  withCopy(call, accepting.world, (copy, keep) => {
    const listener = findListener(copy, accepting.world)
    if (listener === undefined) return leaveAlone('not a listener of the session')
    if (!accepting.world.isWanted(listener.asked.port) && isNonBlocking(copy)) return leaveAlone('not wanted')
    const flags = flagsOf(call, accepting.accept4)
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) !== 0) return leaveAlone('flags that the kernel refuses')
    const room = roomFor(call, 2)
    if (room < 0) return give(room)
    if (tryAccept(call, copy, listener, accepting)) return done
    if (isNonBlocking(copy)) return give(-EAGAIN)
    const timeoutMs = receiveTimeoutMs(copy)
    if (!accepting.waiting.add(call, copy, listener, timeoutMs)) return leaveAlone('too many calls wait')
    keep()
    return done
  })

/** A port that nobody wants may become wanted while a call waits, whose caller could not be shown if the kernel held it: so we hold it. */
function findListener(copy: number, world: World): Listener | undefined {
  const cookie = cookieOf(copy)
  return cookie === undefined ? undefined : (world.listeners.get(cookie) ?? adoptListener(copy, world))
}

/** A socket that was made to listen before the filter was there, such as one that an init system handed down. */
function adoptListener(copy: number, world: World): Listener | undefined {
  const family = streamFamily(copy)
  if (family === undefined || !isListening(copy) || namespaceOf(copy) !== world.namespace) return undefined
  return registerListener(copy, family, world, { inherited: true })
}

const flagsOf = (call: Call, accept4: number) => (numberOf(call) === accept4 ? intArgument(call, 3) : 0)

/** Answers the call with a connection, or with the listener's error; false when none is pending. */
export function tryAccept(call: Call, copy: number, listener: Listener, accepting: Accepting): boolean {
  const { world, kept, watch } = accepting
  for (;;) {
    const early = takeKept(kept, copy, listener, watch)
    if (early !== undefined) return deliver(call, early, listener, accepting)
    // The listener may be a blocking one, so that accept must only be called when something is pending.
    if (poll([{ descriptor: copy, events: POLLIN }], 0)[0] === 0) return false
    if (!isAlive(world.listener, call)) return true
    const accepted = watch.during(listener, () => accept(copy, { nonBlocking: false }))
    if (accepted === -EAGAIN) return false
    if (typeof accepted === 'number') {
      sendResult(world.listener, call, accepted)
      return true
    }
    const peer = readAddress(accepted.peer)
    if (peer !== undefined && (watch.isBell(peer) || kept.isDoorbell(listener, peer))) {
      close(accepted.socket)
      continue
    }
    return deliver(call, accepted, listener, accepting)
  }
}

/** Hands a connection to the process. One that cannot be handed over is kept for the next call: it must be neither lost nor delivered twice. */
function deliver(call: Call, connection: Kept, listener: Listener, accepting: Accepting): boolean {
  const { world, kept, accept4 } = accepting
  const flags = flagsOf(call, accept4)
  const shown = showConnection(connection, listener, world)
  const written = isAlive(world.listener, call) ? showAddress(call, shown) : -ENOENT
  const sent = written < 0 ? written : sendAccepted(world.listener, call, connection.socket, flags)
  if (sent >= 0) {
    close(connection.socket)
    return true
  }
  kept.put(listener, connection)
  if (sent !== -ENOENT) sendResult(world.listener, call, sent)
  return true
}

function sendAccepted(notifications: number, call: Call, socket: number, flags: number): number {
  setNonBlocking(socket, { nonBlocking: (flags & SOCK_NONBLOCK) !== 0 })
  return sendDescriptor(notifications, call, socket, flags & SOCK_CLOEXEC)
}

/** The address that accept gives: the announced caller's, or the true one of a connection that nobody announced. */
function showConnection({ socket, peer }: Kept, { family }: Listener, world: World): Buffer {
  const cookie = cookieOf(socket)
  const source = readAddress(peer)
  if (cookie === undefined || source === undefined) return peer
  const shown = world.delivered.get(cookie) ?? world.announcements.take(source, () => isEnding(socket))
  if (shown === undefined) return peer
  world.delivered.set(cookie, shown)
  warnOfDummy(world, family, shown.caller)
  return writeAddress(family, shown.caller)
}

/** What a held call is told when its listener was shut down, or its time is over. */
export const waitingEnd = (events: number, late: boolean): number | undefined =>
  (events & ~POLLIN) !== 0 ? -EINVAL : late ? -EAGAIN : undefined

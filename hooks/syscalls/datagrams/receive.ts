// Answers recvfrom, recvmsg and recvmmsg that want an address: what comes from an outlet is shown as coming from the peer that it stands for.
import { readAddress, writeAddress } from '../../address.ts'
import { type Received, receiveDatagram } from '../../linux/datagrams.ts'
import { type Call, isAlive, sendResult } from '../../linux/notification.ts'
import {
  cookieOf,
  datagramFamily,
  isNonBlocking,
  namespaceOf,
  POLLRDHUP,
  poll,
  receiveTimeoutMs,
} from '../../linux/sockets.ts'
import type { WaitingCalls } from '../waiting-calls.ts'
import { withCopy } from '../with-copy.ts'
import { done, give, leaveAlone, type Outcome, type World } from '../world.ts'
import { cutTo, putBack, takeKept } from './kept.ts'
import { fillMessage, flagsOf, type Message, piecesOf, readMessages, type Shape, sizeOf } from './messages.ts'
import { sourceOf } from './state.ts'

const ENOENT = 2
const EAGAIN = 11
const EFAULT = 14
const EINVAL = 22
const MSG_DONTWAIT = 0x40
const MSG_PEEK = 2
const MSG_TRUNC = 0x20
const MSG_ERRQUEUE = 0x2000
const MSG_WAITFORONE = 0x10000
const controlLimit = 16_384

/** A UDP socket in whose receive threads wait. */
export type Reader = { readonly cookie: bigint; readonly family: number }
export type Receiving = {
  readonly world: World
  readonly waiting: WaitingCalls<Reader>
  shapeOf(call: Call): Shape
}

/**
 * A blocking call is held from the start, for the socket may send to the pod while it waits, and the kernel would show an outlet then. One that
 * does not block is left alone until the socket has sent there.
 */
export function answerReceive(call: Call, receiving: Receiving): Outcome {
  const { world, waiting } = receiving
  if (!world.outgoingRules?.udp) return leaveAlone('datagrams are not part of the session')
  const shape = receiving.shapeOf(call)
  const flags = flagsOf(call, shape)
  if ((flags & MSG_ERRQUEUE) !== 0) return leaveAlone('errors are not received')
  const messages = readMessages(call, shape)
  if (typeof messages === 'number') return leaveAlone('no header can be read')
  if (messages.every(({ header }) => header.name === 0n)) return leaveAlone('it wants no address')
  return withCopy(call, world, (copy, keep) => {
    const family = datagramFamily(copy)
    if (family === undefined) return leaveAlone('not a UDP socket')
    if (namespaceOf(copy) !== world.namespace) return leaveAlone('in another network namespace')
    const cookie = cookieOf(copy)
    if (cookie === undefined) return leaveAlone('not a socket')
    const blocks = (flags & MSG_DONTWAIT) === 0 && !isNonBlocking(copy)
    const { sources, kept } = world.datagrams
    if (!blocks && !sources.has(cookie) && !kept.has(cookie)) return leaveAlone('nothing of it is the pod’s')
    const reader = { cookie, family }
    if (tryReceive(call, copy, reader, receiving)) return done
    if (!blocks) return give(-EAGAIN)
    if (!waiting.add(call, copy, reader, receiveTimeoutMs(copy))) return leaveAlone('too many calls wait')
    keep()
    return done
  })
}

/** Answers the call with what is there, or with the socket's error; false when there is nothing. A recvmmsg ends with the first. */
export function tryReceive(call: Call, copy: number, reader: Reader, receiving: Receiving): boolean {
  const { world } = receiving
  if (!isAlive(world.listener, call)) return true
  const shape = receiving.shapeOf(call)
  const messages = readMessages(call, shape)
  const taken: Received[] = []
  const result =
    typeof messages === 'number'
      ? messages
      : receiveAll(call, { copy, shape, messages, reader, world, taken })
  if (result === -EAGAIN) {
    // shutdown wakes whoever waits, with nothing.
    if ((poll([{ descriptor: copy, events: POLLRDHUP }], 0)[0]! & POLLRDHUP) === 0) return false
    sendResult(world.listener, call, 0)
  } else if (sendResult(world.listener, call, result) === -ENOENT)
    putBack(world.datagrams.kept, reader.cookie, taken)
  return true
}

type Taking = {
  copy: number
  shape: Shape
  messages: readonly Message[]
  reader: Reader
  world: World
  /** What the call has taken so far, and would lose if a signal ended it. */
  taken: Received[]
}

function receiveAll(call: Call, { messages, ...taking }: Taking): number {
  let count = 0
  for (const message of messages) {
    const result = receiveOne(call, message, taking)
    if (result < 0) return count > 0 ? count : result
    if (taking.shape !== 'many') return result
    count += 1
  }
  return count
}

function receiveOne(
  call: Call,
  message: Message,
  { copy, shape, reader, world, taken }: Omit<Taking, 'messages'>,
): number {
  const pieces = piecesOf(call, shape, message)
  if (typeof pieces === 'number') return pieces
  const { control, controlLength, name, nameLength } = message.header
  if (shape !== 'one' && name !== 0n && nameLength < 0) return -EINVAL
  const flags = flagsOf(call, shape) & ~MSG_WAITFORONE
  const controlRoom = control === 0n ? 0 : Math.min(controlLength, controlLimit)
  const peeks = (flags & MSG_PEEK) !== 0
  const whole =
    takeKept(world.datagrams.kept, reader.cookie, { peeks }) ?? receiveDatagram(copy, { flags, controlRoom })
  if (typeof whole === 'number') return whole
  if (!peeks) taken.push(whole)
  const got = cutTo(whole, { room: sizeOf(pieces), controlRoom, wantsLength: (flags & MSG_TRUNC) !== 0 })
  const filled = fillMessage(call, shape, message, pieces, { ...got, name: shownName(got, reader, world) })
  return filled < 0 ? -EFAULT : got.result
}

function shownName({ name }: Pick<Received, 'name'>, { cookie, family }: Reader, world: World): Buffer {
  const from = readAddress(name)
  const source = from === undefined ? undefined : sourceOf(cookie, from, world)
  return source === undefined ? name : writeAddress(family, source)
}

/** What a held call is told when its time is over. */
export const receivingEnd = (_events: number, late: boolean): number | undefined =>
  late ? -EAGAIN : undefined

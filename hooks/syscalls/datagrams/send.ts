// Answers sendto, sendmsg and sendmmsg: a datagram to what is the pod's goes to the outlet that stands for its peer, by the process's own socket.
import { endpointKey } from '../../../protocol/address.ts'
import type { Endpoint } from '../../../protocol/codec.ts'
import type { Outlet } from '../../../protocol/hook/datagrams.ts'
import { AF_INET6, writeAddress } from '../../address.ts'
import { sendDatagram } from '../../linux/datagrams.ts'
import { readFar } from '../../linux/far-memory.ts'
import { errnoName } from '../../linux/libc.ts'
import {
  type Call,
  idOf,
  intArgument,
  isAlive,
  notificationBytes,
  threadOf,
} from '../../linux/notification.ts'
import { cookieOf, datagramFamily, inodeOf, isOnlySix, namespaceOf } from '../../linux/sockets.ts'
import { mayBePods } from '../may-be-pods.ts'
import { tellStayed } from '../stayed.ts'
import { noticeUnreadable, withCopy } from '../with-copy.ts'
import { done, give, leaveAlone, type Outcome, type World } from '../world.ts'
import { type Chosen, letOutTo, needsWayOut, sortPeers } from './decide.ts'
import { flagsOf, type Message, nameOf, payloadOf, readMessages, type Shape, tellLength } from './messages.ts'
import { isOfAnotherFamily, type Name, peerOf, peersOf, until } from './peers.ts'
import { sendOnce } from './send-once.ts'
import { knownOf, lifeOf } from './state.ts'

const ESRCH = 3
const EBADF = 9
const EFAULT = 14
const EINVAL = 22
const EAFNOSUPPORT = 97
const ENETUNREACH = 101
const ENOBUFS = 105
/** What net.core.optmem_max allows by default is of this order. */
const controlLimit = 16_384

export function answerSend(call: Call, shape: Shape, world: World): Outcome {
  if (!world.outgoingRules?.udp) return leaveAlone('datagrams are not part of the session')
  const messages = readMessages(call, shape)
  if (typeof messages === 'number') return unreadable(call, messages, world)
  const names = messages.map(message => nameOf(call, shape, message))
  if (typeof names[0] === 'number') return unreadable(call, names[0], world)
  const readable = until<(typeof names)[number], Name>(names, name => typeof name === 'number')
  const guessed = sortPeers(peersOf(readable), world)
  const isInside = !guessed.here.some(({ to }) => needsWayOut(to))
  if (guessed.pods.length === 0 && isInside) return allHere(guessed.here, world, 'to this machine')
  return withCopy(
    call,
    world,
    copy => {
      const family = datagramFamily(copy)
      if (family === undefined) return leaveAlone('not a UDP socket')
      const socket = { family, onlySix: family === AF_INET6 && isOnlySix(copy) }
      const sendable = until<Name, Name>(readable, name => isOfAnotherFamily(name, socket))
      const { pods, here } = sortPeers(peersOf(sendable, family), world, copy)
      letOutTo(toOf(here), copy)
      const left = allHere(here, world, 'to this machine, or with an address of another family')
      if (pods.length === 0) return left
      if (namespaceOf(copy) !== world.namespace) return leaveAlone('in another network namespace')
      const cookie = cookieOf(copy)
      if (cookie === undefined) return leaveAlone('not a socket')
      const life = lifeOf(copy, cookie, family, world)
      if (typeof life === 'number') return give(life)
      if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
      const known = knownOf(life, toOf(pods))
      const sending = { copy, family, known, here: toOf(here) }
      if (known.length === pods.length)
        return sendOnce(call, shape, world, sent => sendAll(call, shape, { ...sending, sent }))
      if (!world.hold(idOf(call), { refused: true })) return give(-ENETUNREACH)
      const unknown = pods.filter(({ to }) => !life.outlets.has(endpointKey(to)))
      world.tell({
        type: 'outlets',
        asking: {
          ...{ socket: life.id, cookie, inode: inodeOf(copy), family, from: life.from, connects: false },
          to: toOf(unknown),
          rules: unknown.map(({ rule }) => rule),
          place: { thread: threadOf(call), descriptor: intArgument(call, 0) },
          call: Buffer.from(call.subarray(0, notificationBytes)),
          ...{ known, here: sending.here },
        },
      })
      return done
    },
    errno =>
      errno === -EBADF || errno === -ESRCH || guessed.pods.length === 0
        ? leaveAlone(`no copy of the descriptor: ${errnoName(errno)}`)
        : give(-ENETUNREACH),
  )
}

const toOf = (chosen: readonly Chosen[]): Endpoint[] => chosen.map(({ to }) => to)

function allHere(here: readonly Chosen[], world: World, why: string): Outcome {
  for (const { to, rule } of here) tellStayed({ protocol: 'udp', to, rule }, world)
  return leaveAlone(why)
}

/** A process that forbids to be read must not send to the pod's world from here; whoever gives a wrong address hears of it from the kernel. */
function unreadable(call: Call, errno: number, world: World): Outcome {
  if (errno === -EFAULT || errno === -EINVAL || !mayBePods(call)) return leaveAlone('no address can be read')
  noticeUnreadable(call, world)
  return give(-ENETUNREACH)
}

export type Sending = {
  copy: number
  family: number
  known: readonly Outlet[]
  here: readonly Endpoint[]
  /** The payloads that were sent. */
  sent?: Buffer[]
}

/** Sends all datagrams of a call; what the call gives. */
export function sendAll(call: Call, shape: Shape, sending: Sending): number {
  const messages = readMessages(call, shape)
  if (typeof messages === 'number') return messages
  const decided = {
    family: sending.family,
    outlets: new Map(sending.known.map(({ to, at }) => [endpointKey(to), at])),
    here: new Set(sending.here.map(endpointKey)),
  }
  let count = 0
  for (const message of messages) {
    const name = nameFor(nameOf(call, shape, message), decided)
    const sent = typeof name === 'number' ? name : sendOne(call, shape, message, sending, name)
    const told = sent < 0 || shape !== 'many' ? sent : tellLength(call, message, sent)
    if (told < 0) return count > 0 ? count : told
    if (shape !== 'many') return sent
    count += 1
  }
  return count
}

/** The process may have changed an address meanwhile: what was not decided is not sent. */
function nameFor(
  name: Name | number,
  { family, outlets, here }: { family: number; outlets: Map<string, Endpoint>; here: Set<string> },
): Name | number {
  if (name === undefined || typeof name === 'number') return name
  // An outlet of IPv4 stands for no address that the kernel would refuse here.
  if (isOfAnotherFamily(name, { family, onlySix: false })) return -EAFNOSUPPORT
  const to = peerOf(name, family)
  const at = to === undefined ? undefined : outlets.get(endpointKey(to))
  if (at !== undefined) return writeAddress(family, at)
  return to === undefined || here.has(endpointKey(to)) ? name : -ENETUNREACH
}

function sendOne(call: Call, shape: Shape, message: Message, { copy, sent }: Sending, name: Name): number {
  const { control, controlLength } = message.header
  const payload = payloadOf(call, shape, message)
  if (typeof payload === 'number') return payload
  if (controlLength > controlLimit) return -ENOBUFS
  const extra = control === 0n ? Buffer.alloc(0) : readFar(threadOf(call), control, controlLength)
  if (typeof extra === 'number') return extra
  const result = sendDatagram(copy, { payload, name, control: extra, flags: flagsOf(call, shape) })
  if (result >= 0) sent?.push(payload)
  return result
}

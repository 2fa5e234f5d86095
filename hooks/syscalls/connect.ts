// Answers connect: what is the pod's is put in progress to the quiet port and dialled from the pod; what is this machine's is left alone.

import type { Endpoint } from '../../protocol/codec.ts'
import { decideOutgoing, type OutgoingDecision, type OutgoingFacts } from '../../protocol/outgoing/decide.ts'
import type { Protocol } from '../../protocol/outgoing/entry.ts'
import { OutgoingFilter } from '../../protocol/outgoing/filter.ts'
import { noPattern, UnixStreams } from '../../protocol/outgoing/unix-streams.ts'
import { readAddress, writeAddress } from '../address.ts'
import { errnoName } from '../linux/libc.ts'
import { readMemory } from '../linux/memory.ts'
import { type Call, idOf, intArgument, isAlive, threadOf } from '../linux/notification.ts'
import { abandon } from '../linux/quiet-port.ts'
import {
  AF_INET6,
  connect,
  connectAtOnce,
  cookieOf,
  inodeOf,
  isNonBlocking,
  isOnlySix,
  namespaceOf,
  sendTimeoutMs,
  setNonBlocking,
  socketName,
  streamFamily,
  TCP_CLOSE,
  takeError,
  tcpState,
} from '../linux/sockets.ts'
import type { Connecting } from '../shared/connecting.ts'
import type { ToAnswerer } from '../shared/threads.ts'
import { AF_UNIX, nameFor } from '../unix-address.ts'
import { moveAddress } from './bind.ts'
import { connectDatagrams } from './datagrams/connect.ts'
import { decideDatagram } from './datagrams/decide.ts'
import { endLife, takeDatagrams } from './datagrams/state.ts'
import { mayBePods } from './may-be-pods.ts'
import { tellStayed } from './stayed.ts'
import { answerUnixConnect } from './unix.ts'
import { noticeUnreadable, withCopy } from './with-copy.ts'
import { done, give, leaveAlone, type Outcome, type Outgoing, type World } from './world.ts'

const ENOENT = 2
const ESRCH = 3
const EBADF = 9
const ENETUNREACH = 101
const EINPROGRESS = 115
const AF_UNSPEC = 0

export const decideConnect = (
  to: Endpoint,
  facts: OutgoingFacts,
  protocol: Protocol = 'tcp',
): OutgoingDecision => decideOutgoing(protocol, to, facts)

export function answerConnect(call: Call, world: World): Outcome {
  const size = intArgument(call, 2)
  if (size < 2 || size > 128) return leaveAlone('not an Internet address')
  const bytes = readMemory(call, 1, size)
  if (typeof bytes === 'number') return unreadable(call, world)
  if (bytes.readUInt16LE(0) === AF_UNSPEC) return disconnected(call, world)
  const to = readAddress(bytes)
  if (to === undefined) return connectElsewhere(call, bytes, world)
  const decision = decideConnect(to, world)
  const isLeft = decision.where === 'here' && decision.instead === undefined && world.outgoing.size === 0
  const { watched = false, udp = false } = world.outgoingRules ?? {}
  if (isLeft && !watched && !udp) return leaveAlone(decision.why)
  return withCopy(
    call,
    world,
    copy => {
      const family = streamFamily(copy)
      if (family === undefined)
        return connectDatagrams(call, { copy, to, addressFamily: bytes.readUInt16LE(0) }, world)
      // The kernel refuses both by itself.
      if (family !== bytes.readUInt16LE(0)) return leaveAlone('an address of another family')
      if (family === AF_INET6 && !to.address.includes(':') && isOnlySix(copy))
        return leaveAlone('an IPv4 address on a socket for IPv6 alone')
      if (isLeft) return stays(to, decision, world)
      if (namespaceOf(copy) !== world.namespace) return leaveAlone('in another network namespace')
      const cookie = cookieOf(copy)
      if (cookie === undefined) return leaveAlone('not a socket')
      const known = world.outgoing.get(cookie)
      const again = known === undefined ? undefined : connectAgain(call, { copy, cookie, known }, world)
      if (again !== undefined) return again
      if (decision.where === 'pod')
        return begin(call, { copy, cookie, family, to, rule: decision.why }, world)
      if (decision.instead === undefined) return stays(to, decision, world)
      if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
      tellStayed({ protocol: 'tcp', to, rule: decision.why }, world)
      return connectInstead(copy, moveAddress(bytes, decision.instead))
    },
    noCopy(() => decision.where === 'here' && decideDatagram(to, world).where === 'here'),
  )
}

/** A daemon that is refused is one that does not run: its callers ask the nameservers then. */
function connectElsewhere(call: Call, bytes: Buffer, world: World): Outcome {
  const isUnix = bytes.readUInt16LE(0) === AF_UNIX
  const answered = isUnix ? answerUnixConnect(call, bytes, world) : undefined
  if (answered !== undefined) return answered
  const path = isUnix ? bytes.toString('utf8', 2).split('\0')[0] : undefined
  if (path !== undefined && world.names.refuses(path)) return give(-ENOENT)
  if (isUnix && world.unixStreams !== undefined) unixStays(call, bytes, world)
  return leaveAlone('not an Internet address')
}

/** Whoever has none of the pod's is not told of those that are not. */
function unixStays(call: Call, bytes: Buffer, world: World): void {
  const named = world.outgoingRules?.watched ? nameFor(threadOf(call), bytes) : undefined
  if (named === undefined) return
  tellStayed({ protocol: 'unix', to: { address: named.name, port: 0 }, rule: noPattern }, world)
}

/** Somebody looks: it is told, and left alone. */
function stays(to: Endpoint, { why }: OutgoingDecision, world: World): Outcome {
  tellStayed({ protocol: 'tcp', to, rule: why }, world)
  return leaveAlone(why)
}

/** Without the descriptor nothing can be done for it, and nothing of the pod's may be done by the kernel. */
const noCopy =
  (isHere: () => boolean) =>
  (errno: number): Outcome =>
    errno === -EBADF || errno === -ESRCH || isHere()
      ? leaveAlone(`no copy of the descriptor: ${errnoName(errno)}`)
      : give(-ENETUNREACH)

function unreadable(call: Call, world: World): Outcome {
  const { tcp = false, udp = false } = world.outgoingRules ?? {}
  if ((!tcp && !udp) || !mayBePods(call)) return leaveAlone('no address can be read')
  noticeUnreadable(call, world)
  return give(-ENETUNREACH)
}

/** To a listener of the session's own. If its queue is full the kernel goes on waiting: it looks at no address once it is in progress. */
function connectInstead(copy: number, address: Buffer): Outcome {
  const blocking = !isNonBlocking(copy)
  if (blocking) setNonBlocking(copy, { nonBlocking: true })
  const result = connect(copy, address)
  if (blocking) setNonBlocking(copy, { nonBlocking: false })
  return blocking && result === -EINPROGRESS ? leaveAlone('in progress to its own listener') : give(result)
}

function disconnected(call: Call, world: World): Outcome {
  if (world.outgoing.size === 0 && world.datagrams.lives.size === 0) return leaveAlone('a disconnect')
  return withCopy(call, world, copy => {
    const cookie = cookieOf(copy)
    if (cookie !== undefined) endLife(cookie, world)
    if (cookie !== undefined && world.outgoing.delete(cookie)) world.tell({ type: 'disconnected', cookie })
    return leaveAlone('a disconnect')
  })
}

type Made = { copy: number; cookie: bigint; known: Outgoing }

/**
 * A second connect of a socket. While it is in progress, or connected, the kernel knows what to say, and looks at no address; a blocking
 * call waits with the first. When it is neither, the socket is to be connected anew: undefined.
 */
function connectAgain(call: Call, { copy, cookie, known }: Made, world: World): Outcome | undefined {
  if (known.errno !== undefined) {
    takeError(copy)
    world.outgoing.delete(cookie)
    return give(-known.errno)
  }
  const state = tcpState(copy)
  if (state === TCP_CLOSE) {
    world.outgoing.delete(cookie)
    world.tell({ type: 'disconnected', cookie })
    return undefined
  }
  if (!known.isHeard) return inProgress(known)
  if (isNonBlocking(copy)) return leaveAlone('a second connect')
  const place = { thread: threadOf(call), descriptor: intArgument(call, 0) }
  const held = heldOf(call, copy)
  if (!world.hold(held.id)) return leaveAlone('too many calls wait')
  world.tell({ type: 'held', cookie, place, held })
  return done
}

const heldOf = (call: Call, copy: number) => ({ id: idOf(call), timeoutMs: sendTimeoutMs(copy) })

/** A signal may have ended the call before its answer came: made again, it gets the same one. */
function inProgress(known: Outgoing): Outcome {
  known.isHeard = true
  return give(-EINPROGRESS, () => {
    known.isHeard = false
  })
}

type Begun = { copy: number; cookie: bigint; family: number; to: Endpoint; rule: string }

function begin(call: Call, { copy, cookie, family, to, rule }: Begun, world: World): Outcome {
  const quiet = quietFor(copy, family, world)
  if (quiet === undefined) return give(-ENETUNREACH)
  if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
  const blocking = !isNonBlocking(copy)
  connectAtOnce(copy)
  if (blocking) setNonBlocking(copy, { nonBlocking: true })
  const result = connect(copy, writeAddress(family, quiet))
  if (blocking) setNonBlocking(copy, { nonBlocking: false })
  if (result !== -EINPROGRESS) return give(result)
  const name = socketName(copy)
  const from = typeof name === 'number' ? undefined : readAddress(name)
  const held = blocking ? heldOf(call, copy) : undefined
  if (from === undefined || (held !== undefined && !world.hold(held.id))) {
    abandon(copy)
    return give(-ENETUNREACH)
  }
  const known: Outgoing = { family, to, isHeard: true }
  world.outgoing.set(cookie, known)
  const place = { thread: threadOf(call), descriptor: intArgument(call, 0) }
  const connecting: Connecting = { cookie, inode: inodeOf(copy), family, to, rule, from, place }
  world.tell({
    type: 'connecting',
    connecting: held === undefined ? connecting : { ...connecting, held },
  })
  return held === undefined ? inProgress(known) : done
}

/** IPv6 sockets go by IPv4 where they can, so that a machine without ::1 can serve them. */
function quietFor(copy: number, family: number, world: World): Endpoint | undefined {
  const quiet = world.outgoingRules?.quiet
  if (quiet === undefined) return undefined
  const four = { address: '127.0.0.1', port: quiet.four }
  if (family !== AF_INET6) return four
  const name = socketName(copy)
  const bound = typeof name === 'number' ? undefined : readAddress(name)?.address
  const isSix = isOnlySix(copy) || (bound !== undefined && bound !== '::' && bound.includes(':'))
  if (!isSix) return four
  return quiet.six === undefined ? undefined : { address: '::1', port: quiet.six }
}

/** What the supervisor says of connections; they are read before each call is answered. */
export function takeOutgoing(message: ToAnswerer, world: World): void {
  if (message.type === 'outgoing') {
    const { filter, unix } = message.rules
    world.outgoingRules = message.rules
    // They come again for whoever begins to look.
    world.toldDatagrams.clear()
    world.outgoingFilter = filter === undefined ? undefined : new OutgoingFilter(filter)
    world.unixStreams = unix === undefined ? undefined : new UnixStreams(unix)
  } else if (message.type === 'learn') world.outgoingFilter?.learn(message.learned)
  else if (message.type === 'outlets' || message.type === 'datagramsConnected') takeDatagrams(message, world)
  else if (message.type === 'unixConnected') world.unixPeers.set(message.cookie, message.shown)
  else if (message.type === 'forget') world.outgoing.delete(message.cookie)
  else if (message.type === 'dialled' || message.type === 'refused') {
    const known = world.outgoing.get(message.cookie)
    if (known === undefined) return
    if (message.type === 'dialled') known.local = message.local
    else known.errno = message.errno
  }
}

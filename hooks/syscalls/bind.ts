// Answers bind: the pod's address becomes loopback, and a wanted port that another program holds becomes the session's substitute.
import { loopbackFor } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { readAddress, writeAddress } from '../address.ts'
import { readMemory } from '../linux/memory.ts'
import { type Call, intArgument, isAlive, threadOf } from '../linux/notification.ts'
import {
  bind,
  cookieOf,
  datagramFamily,
  namespaceOf,
  sharesPort,
  socketName,
  streamFamily,
} from '../linux/sockets.ts'
import { describeHolder, findHolder, type Holder } from './port-holder.ts'
import { withCopy } from './with-copy.ts'
import { give, leaveAlone, type Outcome, type World } from './world.ts'

const EACCES = 13
const EADDRINUSE = 98

/** What to bind to instead of what was asked for; undefined when the call is no concern of the session. */
export function decideBind(
  asked: Endpoint,
  session: { podAddresses: ReadonlySet<string>; isWanted: (port: number) => boolean },
): Endpoint | undefined {
  const isPods = session.podAddresses.has(asked.address)
  if (!isPods && !session.isWanted(asked.port)) return undefined
  return isPods ? { address: loopbackFor(asked.address), port: asked.port } : asked
}

/** Whether a refused bind gets a substitute: the port needs a right, or a program outside of the session has it. */
export function deservesSubstitute(errno: number, holder: Holder | undefined): boolean {
  return errno === EACCES || (errno === EADDRINUSE && holder !== undefined && !holder.hooked)
}

export function answerBind(call: Call, world: World): Outcome {
  const size = intArgument(call, 2)
  if (size < 16 || size > 128) return leaveAlone('not an Internet address')
  const bytes = readMemory(call, 1, size)
  const asked = typeof bytes === 'number' ? undefined : readAddress(bytes)
  if (asked === undefined || typeof bytes === 'number') return leaveAlone('not an Internet address')
  const target = decideBind(asked, world)
  if (target === undefined) return leaveAlone('neither a wanted port nor the address of the pod')
  return withCopy(call, world, copy => {
    const family = streamFamily(copy) ?? datagramFamily(copy)
    if (family === undefined || family !== bytes.readUInt16LE(0)) return leaveAlone('neither TCP nor UDP')
    const isStream = streamFamily(copy) !== undefined
    if (!isStream && !world.podAddresses.has(asked.address)) return leaveAlone('a port of TCP alone')
    if (namespaceOf(copy) !== world.namespace) return leaveAlone('in another network namespace')
    if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
    const cookie = cookieOf(copy)
    if (wasDone(call, cookie, bytes, world)) return giveDone(call, cookie, bytes, world)
    const put = (endpoint: Endpoint) => bind(copy, moveAddress(bytes, endpoint))
    const result = isStream && sharesPort(copy) && isOutsidersPort(target, world) ? -EADDRINUSE : put(target)
    const final =
      isStream && result < 0 && world.isWanted(asked.port)
        ? substitute(-result, target, put, copy, world)
        : result
    if (final === 0) remember(copy, cookie, family, asked, world)
    return final === 0 ? giveDone(call, cookie, bytes, world) : give(final)
  })
}

/**
 * The kernel refuses a second bind of a socket, and a signal makes the program bind again (SA_RESTART) without knowing of the first. It can
 * come in the very moment in which the kernel has taken our answer, so that what the same thread asks for next tells: the same once more is
 * that call again. A program that binds a socket twice to the same address with no other call in between hears of no error therefore.
 */
function giveDone(call: Call, cookie: bigint | undefined, asked: Buffer, world: World): Outcome {
  if (cookie === undefined) return give(0)
  const last = { cookie, asked, isHeard: true }
  world.lastBinds.set(threadOf(call), last)
  return give(0, () => {
    last.isHeard = false
  })
}

function wasDone(call: Call, cookie: bigint | undefined, asked: Buffer, world: World): boolean {
  const last = world.lastBinds.get(threadOf(call))
  return last !== undefined && last.cookie === cookie && last.asked.equals(asked)
}

/** Another call of the thread: it has got the answer to its bind, unless a handler makes that call. */
export function forgetBind(call: Call, world: World): void {
  if (world.lastBinds.get(threadOf(call))?.isHeard) world.lastBinds.delete(threadOf(call))
}

/** A port shared with a program outside of the session (SO_REUSEPORT) would give that program part of what is delivered. */
function isOutsidersPort(target: Endpoint, world: World): boolean {
  return world.isWanted(target.port) && findHolder(target, world.supervisor)?.hooked === false
}

/** The struct that the process gave, scope and flow kept, with another address and port in it. */
export function moveAddress(bytes: Buffer, endpoint: Endpoint): Buffer {
  const moved = Buffer.from(bytes)
  const written = writeAddress(bytes.readUInt16LE(0), endpoint)
  const address = bytes.readUInt16LE(0) === 2 ? [4, 8] : [8, 24]
  written.copy(moved, 2, 2, 4)
  written.copy(moved, address[0], address[0], address[1])
  return moved
}

function substitute(
  errno: number,
  target: Endpoint,
  put: (endpoint: Endpoint) => number,
  copy: number,
  world: World,
): number {
  const holder = errno === EADDRINUSE ? findHolder(target, world.supervisor) : undefined
  if (!deservesSubstitute(errno, holder)) return -errno
  const known = world.substitutes.get(target.port)
  if (known !== undefined) {
    const result = put({ ...target, port: known })
    const taken =
      result === -EADDRINUSE ? findHolder({ ...target, port: known }, world.supervisor) : undefined
    // A sibling has the substitute: what it would have heard of the port itself.
    if (result === 0 || taken === undefined || taken.hooked) return result
  }
  const result = put({ ...target, port: 0 })
  if (result < 0) return result
  const port = boundPort(copy)
  world.substitutes.set(target.port, port)
  const why =
    holder === undefined ? 'needs a right that this user lacks' : `is held by ${describeHolder(holder)}`
  world.notice({
    level: 'warning',
    code: 'port-substituted',
    text: `Port ${target.port} ${why}; the process listens on port ${port} of this machine instead, and is told ${target.port}`,
  })
  return 0
}

function boundPort(copy: number): number {
  const name = socketName(copy)
  return typeof name === 'number' ? 0 : (readAddress(name)?.port ?? 0)
}

function remember(
  copy: number,
  cookie: bigint | undefined,
  family: number,
  asked: Endpoint,
  world: World,
): void {
  const name = socketName(copy)
  const actual = typeof name === 'number' ? undefined : readAddress(name)
  if (cookie !== undefined && actual !== undefined) world.bindings.set(cookie, { family, asked, actual })
}

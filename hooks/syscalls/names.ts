// Answers getsockname and getpeername: a delivered connection shows the pod and the caller, a moved socket what it asked for.

import { isLoopback } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { dummyAddress, readAddress, writeAddress } from '../address.ts'
import { type Call, isAlive } from '../linux/notification.ts'
import { AF_INET, cookieOf, isEnding, peerName, socketName } from '../linux/sockets.ts'
import type { Announced } from '../shared/announcements.ts'
import { showAddress } from './show-address.ts'
import { withCopy } from './with-copy.ts'
import { give, leaveAlone, type Outcome, type World } from './world.ts'

export const answerGetsockname = (call: Call, world: World): Outcome =>
  withCopy(call, world, copy => {
    const cookie = cookieOf(copy)
    if (cookie === undefined) return leaveAlone('not a socket')
    const binding = world.bindings.get(cookie)
    if (binding !== undefined && !isSame(binding.asked, binding.actual))
      return show(call, world, binding.family, shownBinding(binding))
    const outgoing = world.outgoing.get(cookie)
    if (outgoing !== undefined) {
      // Its call waited for the address, and a signal or SO_SNDTIMEO ended that: the socket stands a moment before the address is here.
      if (outgoing.local === undefined && typeof peerName(copy) !== 'number')
        world.await(() => world.outgoing.get(cookie)?.local !== undefined)
      const { local } = world.outgoing.get(cookie) ?? {}
      return local === undefined ? leaveAlone('in progress') : show(call, world, outgoing.family, local)
    }
    const found = findDelivered(copy, cookie, world)
    return found === undefined
      ? leaveAlone('its own address')
      : show(call, world, found.family, found.shown.pod)
  })

export const answerGetpeername = (call: Call, world: World): Outcome =>
  withCopy(call, world, copy => {
    const cookie = cookieOf(copy)
    if (cookie === undefined) return leaveAlone('not a socket')
    const outgoing = world.outgoing.get(cookie)
    if (outgoing !== undefined)
      return typeof peerName(copy) === 'number'
        ? leaveAlone('not connected')
        : show(call, world, outgoing.family, outgoing.to)
    const unix = world.unixPeers.get(cookie)
    if (unix !== undefined) return give(showAddress(call, Buffer.from(unix)))
    const found = findDelivered(copy, cookie, world)
    return found === undefined
      ? leaveAlone('its own peer')
      : show(call, world, found.family, found.shown.caller)
  })

const isSame = (one: Endpoint, other: Endpoint) => one.address === other.address && one.port === other.port

/** A socket that asked for "any port" learns which one it got, on the address that it asked for. */
export const shownBinding = ({ asked, actual }: { asked: Endpoint; actual: Endpoint }): Endpoint => ({
  address: asked.address,
  port: asked.port === 0 ? actual.port : asked.port,
})

/** A connection that was accepted here, or natively (accept without an address), in which case its real peer tells which it is. */
function findDelivered(
  copy: number,
  cookie: bigint,
  world: World,
): { family: number; shown: Announced } | undefined {
  if (world.undelivered.has(cookie)) return undefined
  const peer = peerName(copy)
  const source = typeof peer === 'number' ? undefined : readAddress(peer)
  const known =
    source === undefined || !isLoopback(source.address)
      ? undefined
      : (world.delivered.get(cookie) ?? takeAccepted(copy, source, world))
  if (known === undefined || typeof peer === 'number') {
    // One that was delivered and has ended since has no peer any more.
    if (!world.delivered.has(cookie)) world.undelivered.set(cookie, true)
    return undefined
  }
  world.delivered.set(cookie, known)
  return { family: peer.readUInt16LE(0), shown: known }
}

/** Only an accepted connection can be an announced one; one that the process made itself to such a port has a port of its own at this end. */
function takeAccepted(copy: number, source: Endpoint, world: World): Announced | undefined {
  const name = socketName(copy)
  const own = typeof name === 'number' ? undefined : readAddress(name)
  if (own === undefined || !world.listenedPorts.has(own.port)) return undefined
  return world.announcements.take(source, () => isEnding(copy))
}

function show(call: Call, world: World, family: number, endpoint: Endpoint): Outcome {
  if (!isAlive(world.listener, call)) return leaveAlone('the call is gone')
  warnOfDummy(world, family, endpoint)
  return give(showAddress(call, writeAddress(family, endpoint)))
}

/** Says once that an IPv4 socket was shown a dummy address, because it cannot hold the caller's. */
export function warnOfDummy(world: World, family: number, endpoint: Endpoint): void {
  if (family !== AF_INET || !endpoint.address.includes(':')) return
  world.notice({
    level: 'info',
    code: 'caller-address-dummy',
    text: `An IPv4 socket cannot show IPv6 addresses of callers; it shows ${dummyAddress} instead`,
  })
}

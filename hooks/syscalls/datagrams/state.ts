// What the answerer knows of UDP sockets that have sent to what is the pod's: their outlets, and whom each outlet stands for.

import { endpointKey, isLoopback, isWildcard } from '../../../protocol/address.ts'
import type { Endpoint } from '../../../protocol/codec.ts'
import type { Outlet } from '../../../protocol/hook/datagrams.ts'
import { AF_INET6, readAddress, writeAddress } from '../../address.ts'
import { bind, cookieOf, isOnlySix, socketName } from '../../linux/sockets.ts'
import { BoundedMap } from '../../shared/bounded-map.ts'
import type { DatagramAnswer } from '../../shared/datagrams.ts'
import type { World } from '../world.ts'
import type { DatagramSocket } from './sockets.ts'

const sourceLimit = 4_096
const EINVAL = 22

/** The life that goes on, or that begins here; a negative errno when the socket cannot have a port. */
export function lifeOf(copy: number, cookie: bigint, family: number, world: World): DatagramSocket | number {
  return world.datagrams.lives.get(cookie) ?? beginLife(copy, cookie, family, world)
}

export function beginLife(
  copy: number,
  cookie: bigint,
  family: number,
  world: World,
): DatagramSocket | number {
  const from = reachableAt(copy, family)
  if (typeof from === 'number') return from
  endLife(cookie, world)
  world.datagrams.count += 1
  const life = { id: `${cookie}.${world.datagrams.count}`, from, outlets: new Map() }
  world.datagrams.lives.set(cookie, life)
  return life
}

/** The socket is connected anew, or not any more. */
export function endLife(cookie: bigint, world: World): void {
  const life = world.datagrams.lives.get(cookie)
  if (life === undefined) return
  world.datagrams.lives.delete(cookie)
  world.tell({ type: 'datagramsClosed', socket: life.id })
}

export function endLifeOf(copy: number, world: World): void {
  const cookie = cookieOf(copy)
  if (cookie !== undefined) endLife(cookie, world)
}

/** A socket without a port gets one, as its first datagram would give it; connect and disconnect treat it alike then. */
function reachableAt(copy: number, family: number): Endpoint | number {
  let name = nameOf(copy)
  if (name?.port === 0) {
    const bound = bind(
      copy,
      writeAddress(family, { address: family === AF_INET6 ? '::' : '0.0.0.0', port: 0 }),
    )
    // Another thread may have been quicker.
    if (bound < 0 && bound !== -EINVAL) return bound
    name = nameOf(copy)
  }
  if (name === undefined) return -EINVAL
  if (!isWildcard(name.address)) return name
  return { address: isOnlySix(copy) && family === AF_INET6 ? '::1' : '127.0.0.1', port: name.port }
}

function nameOf(copy: number): Endpoint | undefined {
  const name = socketName(copy)
  return typeof name === 'number' ? undefined : readAddress(name)
}

/** Whom a datagram is from that came from this address; undefined when it is what it says. */
export function sourceOf(cookie: bigint, from: Endpoint, world: World): Endpoint | undefined {
  return isLoopback(from.address) ? world.datagrams.sources.get(cookie)?.get(endpointKey(from)) : undefined
}

/** What the supervisor says; read before each call is answered. */
export function takeDatagrams(message: DatagramAnswer, world: World): void {
  if (message.type === 'datagramsConnected') {
    const { cookie, family, to, local } = message
    world.outgoing.set(cookie, { family, to, local, isHeard: true })
    return
  }
  const { cookie, socket, outlets } = message
  const life = world.datagrams.lives.get(cookie)
  for (const { to, at } of outlets) {
    remember(cookie, to, at, world)
    if (life?.id === socket) life.outlets.set(endpointKey(to), at)
  }
}

function remember(cookie: bigint, to: Endpoint, at: Endpoint, { datagrams }: World): void {
  const sources = datagrams.sources.get(cookie) ?? new BoundedMap<string, Endpoint>(sourceLimit)
  datagrams.sources.set(cookie, sources)
  sources.set(endpointKey(at), to)
}

export const knownOf = (life: DatagramSocket, to: readonly Endpoint[]): Outlet[] =>
  to.flatMap(one => {
    const at = life.outlets.get(endpointKey(one))
    return at === undefined ? [] : [{ to: one, at }]
  })

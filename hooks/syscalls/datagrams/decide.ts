// Whether a datagram is the pod's, by the address that it is for and, on loopback, by the one that it comes from.
import { endpointKey, isLoopback, isWildcard, loopbackFor } from '../../../protocol/address.ts'
import type { Endpoint } from '../../../protocol/codec.ts'
import { isMulticast } from '../../../protocol/for-many.ts'
import {
  decideOutgoing,
  forMany,
  notOfTheSession,
  type OutgoingDecision,
} from '../../../protocol/outgoing/decide.ts'
import { readAddress } from '../../address.ts'
import { socketName } from '../../linux/sockets.ts'
import { letOut } from '../../linux/unicast-interface.ts'
import type { World } from '../world.ts'

/** The decision, with a notice where it may surprise. A socket here that is connected to `from` takes what comes from there. */
export function decideDatagram(to: Endpoint, world: World, from?: Endpoint): OutgoingDecision {
  if (!world.outgoingRules?.udp) return notOfTheSession
  const listensHere: World['listensHere'] = (at, protocol) => world.listensHere(at, protocol, from)
  const decision = decideOutgoing('udp', to, from === undefined ? world : { ...world, listensHere })
  if (decision === forMany)
    world.notice({
      level: 'info',
      code: 'datagrams-for-many',
      text: 'Multicast and broadcast datagrams of the process go to this machine’s networks, not to the pod’s',
    })
  return decision
}

export type Chosen = { to: Endpoint; rule: string }
export type Peers = { pods: readonly Chosen[]; here: readonly Chosen[] }

/** Each peer is decided once; with our copy of the socket that sends, when there is one. */
export function sortPeers(peers: readonly Endpoint[], world: World, copy?: number): Peers {
  const sorted: { pods: Chosen[]; here: Chosen[] } = { pods: [], here: [] }
  for (const peer of new Map(peers.map(one => [endpointKey(one), one])).values()) {
    const from = copy === undefined ? undefined : senderOf(copy, peer)
    const { where, why } = decideDatagram(peer, world, from)
    sorted[where === 'pod' ? 'pods' : 'here'].push({ to: peer, rule: why })
  }
  return sorted
}

/** Whether datagrams to an address that stays here go out by an interface other than `lo`: our sockets send there alone, until they are let out. */
export const needsWayOut = ({ address }: Endpoint): boolean =>
  !isLoopback(address) && !isWildcard(address) && !isMulticast(address)

/** Before the kernel sends to them, or connects to them; it chooses the source by the way. */
export function letOutTo(peers: readonly Endpoint[], copy: number): void {
  for (const { address } of peers.filter(needsWayOut)) letOut(copy, address)
}

/** Where a socket's datagrams to loopback come from; undefined when it has no port. */
export function senderOf(copy: number, to: Endpoint): Endpoint | undefined {
  const name = socketName(copy)
  const own = typeof name === 'number' ? undefined : readAddress(name)
  if (own === undefined || own.port === 0) return undefined
  return isWildcard(own.address) ? { address: loopbackFor(to.address), port: own.port } : own
}

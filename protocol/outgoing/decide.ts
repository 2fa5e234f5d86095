// Where a connection of the process goes: to the pod's world, or to what is on this machine. Pure, for the hooks that do it and the server that explains it.
import { isOfLink, loopbackFor, loopbackInstead } from '../address.ts'
import type { Endpoint } from '../codec.ts'
import type { Protocol } from './entry.ts'
import { isOfLoopback, type OutgoingFilter } from './filter.ts'

export type OutgoingFacts = {
  /** undefined when nothing leaves from the pod. */
  readonly outgoingRules: { tcp: boolean; udp?: boolean | undefined; ignoreLocalhost: boolean } | undefined
  readonly outgoingFilter: OutgoingFilter | undefined
  /** Whether the process asks the pod's nameserver there. */
  isNameserver(to: Endpoint): boolean
  /** Whether that address is one of this machine's. */
  isOwnAddress(address: string): boolean
  /** Whether that address is one of the pod's own. */
  isPodAddress(address: string): boolean
  /** Whether the process has listened on that port. */
  hasListened(port: number): boolean
  /** Whether something on this machine takes connections, or datagrams, to that address. */
  listensHere(to: Endpoint, protocol: Protocol): boolean
  /** Whether that address is a multicast or a broadcast one. */
  isForMany(address: string): boolean
  /** Whether the process stands in for that port of the pod. */
  isWanted(port: number): boolean
  /** The process's listeners that had to take another port. */
  readonly substitutes: ReadonlyMap<number, number>
}

/** `why` is the end of a sentence. `instead`: where the process's own listener is in truth. */
export type OutgoingDecision = { where: 'pod' | 'here'; why: string; instead?: Endpoint }

const pod = (why: string): OutgoingDecision => ({ where: 'pod', why })
const here = (why: string): OutgoingDecision => ({ where: 'here', why })

export const notOfTheSession = here('outgoing traffic is not part of the session')

const ownPort = here("the process's own port")
/** Refused by this machine: whoever waits for the local program must not find the pod's. */
const ownPortWithoutListener = here("the process's own port, and nothing listens there yet")

/** A socket of the pod would hear none of them. */
export const forMany = here('datagrams for many stay here')

export function decideOutgoing(protocol: Protocol, to: Endpoint, facts: OutgoingFacts): OutgoingDecision {
  if (facts.isNameserver(to)) return pod("the pod's nameserver")
  const isLocal = isOfLoopback(to.address)
  const substitute = facts.substitutes.get(to.port)
  if (isLocal && protocol === 'tcp' && substitute !== undefined)
    return { ...here('the process listens there'), instead: { ...to, port: substitute } }
  if (!facts.outgoingRules?.[protocol]) return notOfTheSession
  if (isLocal) return decideLoopback(protocol, to, facts)
  if (protocol === 'tcp' && facts.isPodAddress(to.address) && isServedHere(to, facts))
    return {
      ...here('the process serves that port of the pod'),
      instead: { address: loopbackFor(to.address), port: substitute ?? to.port },
    }
  if (protocol === 'udp' && facts.isForMany(to.address)) return forMany
  if (facts.isOwnAddress(to.address)) return here("this machine's own address")
  if (isOfLink(to.address)) return here('an address of this link')
  return facts.outgoingFilter === undefined
    ? pod('no filter keeps it here')
    : decideByFilter(protocol, to, facts.outgoingFilter)
}

/** At the pod's own addresses a process finds itself, as the pod's program does; the pod's other programs are found in the pod. */
function isServedHere(to: Endpoint, facts: OutgoingFacts): boolean {
  if (facts.substitutes.has(to.port) || facts.isWanted(to.port)) return true
  return (
    facts.hasListened(to.port) &&
    facts.listensHere({ address: loopbackFor(to.address), port: to.port }, 'tcp')
  )
}

function decideByFilter(protocol: Protocol, to: Endpoint, filter: OutgoingFilter): OutgoingDecision {
  const match = filter.find(protocol, to)
  if (match !== undefined) return sideOf(filter, match.rule)
  return restOf(filter)
}

/** What no entry matches. */
export function restOf({ side }: OutgoingFilter): OutgoingDecision {
  const why = `no entry of feature.network.outgoing.filter.${side} matches`
  return side === 'remote' ? here(why) : pod(why)
}

/** What an entry matches. */
export const sideOf = (filter: OutgoingFilter, rule: string): OutgoingDecision =>
  filter.side === 'remote' ? pod(rule) : here(rule)

/**
 * An entry that names a port of loopback decides for it, and one that names loopback alone for all but the process's own ports. A port that the
 * pod listens on is the process's: until it listens, nobody does.
 */
function decideLoopback(protocol: Protocol, to: Endpoint, facts: OutgoingFacts): OutgoingDecision {
  const { outgoingFilter: filter } = facts
  const match = filter?.findLoopback(protocol, to)
  if (filter !== undefined && match !== undefined && match.entry.port !== 0) return sideOf(filter, match.rule)
  if (protocol === 'tcp' && facts.isWanted(to.port))
    return facts.listensHere(loopbackInstead(to), protocol) ? ownPort : ownPortWithoutListener
  if (filter !== undefined && match !== undefined) return sideOf(filter, match.rule)
  if (facts.outgoingRules?.ignoreLocalhost) return here('loopback stays here')
  return facts.listensHere(loopbackInstead(to), protocol)
    ? here('something listens there')
    : pod('nothing listens there')
}

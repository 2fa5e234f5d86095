// The outgoing filter of a session, ready to be asked: which entry, if any, a connection to an address matches.
import { isLoopback, isWildcard, loopbackInstead } from '../address.ts'
import type { Endpoint } from '../codec.ts'
import { type Entry, type Protocol, parseEntry } from './entry.ts'
import { type AddressValue, isWithin, valueOfAddress } from './range.ts'

/** `remote`: what matches is the pod's, and the rest this machine's; `local`: the reverse. */
export type FilterSide = 'remote' | 'local'
/** A name that entries of the filter stand for, and what it resolved to. */
export type Learned = { name: string; entries: readonly number[]; addresses: readonly string[] }
export type FilterRules = { side: FilterSide; entries: readonly string[]; learned: readonly Learned[] }
/** `rule` says which entry it was, for a sentence's end. */
export type Match = { entry: Entry; rule: string }

/** Addresses that names resolved to; beyond it the oldest are forgotten. */
export const learnedLimit = 4_096

export class OutgoingFilter {
  readonly side: FilterSide
  readonly entries: readonly Entry[]
  readonly #rules: readonly string[]
  /** By address: the entries whose names resolved to it, with the rule that tells so. */
  readonly #learned = new Map<string, Map<number, string>>()
  readonly #hasRanges: boolean
  /** Entries that may name loopback, those with a port first. */
  readonly #ofLoopback: readonly { entry: Entry; rule: string }[]

  /** Entries that cannot be read match nothing: the configuration was refused for them. */
  constructor({ side, entries, learned }: FilterRules) {
    this.side = side
    this.entries = entries.flatMap(text => {
      const parsed = parseEntry(text)
      return parsed.ok ? [parsed.entry] : []
    })
    this.#rules = this.entries.map(({ text }) => `entry "${text}" of feature.network.outgoing.filter.${side}`)
    this.#hasRanges = this.entries.some(({ to }) => to.kind === 'range')
    this.#ofLoopback = this.entries
      .map((entry, index) => ({ entry, rule: this.#rules[index]! }))
      .filter(({ entry: { to } }) => (to.kind === 'name' ? isLocalhost(to.name) : namesLoopback(to)))
      .sort((a, b) => Number(a.entry.port === 0) - Number(b.entry.port === 0))
    for (const one of learned) this.learn(one)
  }

  /** Says which entry it is, for a sentence's end. */
  ruleOf(index: number): string {
    return this.#rules[index]!
  }

  learn({ name, entries, addresses }: Learned): void {
    for (const address of addresses) {
      const known = this.#learned.get(address) ?? new Map<number, string>()
      for (const index of entries) known.set(index, `${this.#rules[index]}, where ${name} is`)
      this.#learned.delete(address)
      this.#learned.set(address, known)
    }
    for (const [oldest] of this.#learned) {
      if (this.#learned.size <= learnedLimit) break
      this.#learned.delete(oldest)
    }
  }

  /** The first entry that matches a connection to what is not loopback. */
  find(protocol: Protocol, { address, port }: Endpoint): Match | undefined {
    const value = this.#hasRanges ? valueOfAddress(address) : undefined
    const learned = this.#learned.get(address)
    const index = this.entries.findIndex(
      (entry, at) => isFor(entry, protocol, port) && isTo(entry, value, learned?.has(at) ?? false),
    )
    if (index < 0) return undefined
    const entry = this.entries[index]!
    const byName = entry.to.kind === 'name' ? learned?.get(index) : undefined
    return { entry, rule: byName ?? this.#rules[index]! }
  }

  /** The first entry that names loopback: an address of it, a range within it, or localhost. Those that name a port come first. */
  findLoopback(protocol: Protocol, to: Endpoint): Match | undefined {
    if (this.#ofLoopback.length === 0) return undefined
    const value = valueOfAddress(loopbackInstead(to).address)
    return this.#ofLoopback.find(
      ({ entry }) =>
        isFor(entry, protocol, to.port) && (entry.to.kind !== 'range' || isWithin(value, entry.to.range)),
    )
  }
}

const namesLoopback = (to: Entry['to']): boolean => to.kind === 'range' && to.range.isLoopback

export const isOfLoopback = (address: string): boolean => isLoopback(address) || isWildcard(address)
/** Names that no resolver is asked for (RFC 6761). */
export const isLocalhost = (name: string): boolean => name === 'localhost' || name.endsWith('.localhost')

export const isFor = (entry: Entry, protocol: Protocol, port: number): boolean =>
  (entry.protocol === 'any' || entry.protocol === protocol) && (entry.port === 0 || entry.port === port)

function isTo({ to }: Entry, value: AddressValue | undefined, isLearned: boolean): boolean {
  if (to.kind === 'any') return true
  return to.kind === 'name' ? isLearned : value !== undefined && isWithin(value, to.range)
}

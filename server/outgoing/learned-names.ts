// What names resolved to, as far as a session's filter and its user want to know: the rules of the hooks are made from it.
import { normalAddress } from '../../protocol/address.ts'
import type { OutgoingRules } from '../../protocol/hook/messages.ts'
import { normalName, parseEntry } from '../../protocol/outgoing/entry.ts'
import { type Learned, learnedLimit } from '../../protocol/outgoing/filter.ts'
import { isUnder, spellings } from '../names/spellings.ts'

type Filter = NonNullable<OutgoingRules['filter']>

/** Names whose addresses are remembered for whoever asks; beyond it the oldest are forgotten. */
const rememberedNames = 1_000

export class LearnedNames {
  readonly #filter: Filter | undefined
  /** Entries that are names, with their places in the filter. */
  readonly #entries: { name: string; index: number }[]
  readonly #tell: (filter: Filter, learned: Learned) => Promise<void>
  /** Names of the filter, the one that was looked up last at the end. */
  readonly #ofFilter = new Map<string, Learned>()
  readonly #addresses = new Map<string, string[]>()
  readonly #names = new Map<string, string>()
  #search: readonly string[] = []

  /** `tell` resolves when every supervisor obeys. */
  constructor(filter: Filter | undefined, tell: (filter: Filter, learned: Learned) => Promise<void>) {
    this.#filter = filter
    this.#tell = tell
    this.#entries = (filter?.entries ?? []).flatMap((text, index) => {
      const parsed = parseEntry(text)
      return parsed.ok && parsed.entry.to.kind === 'name' ? [{ name: parsed.entry.to.name, index }] : []
    })
  }

  /** Whether an answer that nobody can read may hide an address that an entry stands for. */
  get hasEntries(): boolean {
    return this.#entries.length > 0
  }

  /** The pod's search list: what is looked up as "db.shop.svc.cluster.local" was called "db" by the program, and by the filter. */
  setSearch(domains: readonly string[]): void {
    this.#search = domains.map(normalName)
  }

  /**
   * To be called with each answer that has addresses, also of names that are in a hosts file, by the name that was asked for (not that of an
   * alias which it leads to). Resolves when connections to these addresses are decided by it; until then the answer must not be given away.
   * Rejects when a supervisor does not take it in time: then the answer must not be given at all.
   */
  async learned(asked: string, given: readonly string[]): Promise<void> {
    const name = normalName(asked)
    const addresses = [...new Set(given.map(normalAddress))]
    if (addresses.length === 0) return
    this.#remember(name, addresses)
    const entries = this.entriesFor(name)
    if (this.#filter === undefined || entries.length === 0) return
    this.#keep({ name, entries, addresses })
    await this.#tell({ ...this.#filter, learned: this.#known() }, { name, entries, addresses })
  }

  /** Rules for processes that start from here on. */
  into(rules: OutgoingRules): OutgoingRules {
    return this.#filter === undefined
      ? rules
      : { ...rules, filter: { ...this.#filter, learned: this.#known() } }
  }

  /** What that name resolved to when it was last looked up. */
  addressesOf(asked: string): readonly string[] | undefined {
    const name = normalName(asked)
    const found = [name, ...this.#search.map(domain => `${name}.${domain}`)].find(each =>
      this.#addresses.has(each),
    )
    return found === undefined ? undefined : this.#addresses.get(found)
  }

  /** The name that was last looked up and is at that address. */
  nameOf(address: string): string | undefined {
    return this.#names.get(address)
  }

  /** The places of the entries that stand for a name: its own, or that of a domain that it is in. */
  entriesFor(asked: string): number[] {
    const called = spellings(asked, this.#search)
    return this.#entries
      .filter(entry => called.some(each => isUnder(each, entry.name)))
      .map(({ index }) => index)
  }

  #keep({ name, entries, addresses }: Learned): void {
    const before = this.#ofFilter.get(name)?.addresses ?? []
    const all = [...new Set([...before.filter(address => !addresses.includes(address)), ...addresses])]
    this.#ofFilter.delete(name)
    this.#ofFilter.set(name, { name, entries, addresses: all.slice(-learnedLimit) })
    let count = this.#known().reduce((sum, known) => sum + known.addresses.length, 0)
    for (const [oldest, known] of this.#ofFilter) {
      if (count <= learnedLimit) break
      count -= known.addresses.length
      this.#ofFilter.delete(oldest)
    }
  }

  #known(): Filter['learned'] {
    return [...this.#ofFilter.values()].map(({ name, entries, addresses }) => ({
      name,
      entries: [...entries],
      addresses: [...addresses],
    }))
  }

  /** Each family is asked for by itself. */
  #remember(name: string, addresses: string[]): void {
    const families = new Set(addresses.map(isSix))
    const others = (this.#addresses.get(name) ?? []).filter(address => !families.has(isSix(address)))
    this.#addresses.delete(name)
    this.#addresses.set(name, [...others, ...addresses])
    for (const address of addresses) {
      this.#names.delete(address)
      this.#names.set(address, name)
    }
    forgetOldest(this.#addresses)
    forgetOldest(this.#names)
  }
}

const isSix = (address: string): boolean => address.includes(':')

function forgetOldest(map: Map<string, unknown>): void {
  for (const [oldest] of map) {
    if (map.size <= rememberedNames) break
    map.delete(oldest)
  }
}

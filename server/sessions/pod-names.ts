// The names of one session: what its processes read of them, and who answers their questions.
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Dial } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import type { SessionConfig } from '../../protocol/config.ts'
import type { PodNames as Names } from '../../protocol/hook/messages.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { parseHosts } from '../../protocol/names/hosts.ts'
import { parseResolvConf } from '../../protocol/names/resolv-conf.ts'
import { type Choice, nameChoice } from '../names/choice.ts'
import { DatagramTalk } from '../names/datagram-talk.ts'
import { type NameFacts, nameserversOf, podNamesOf, questionMs } from '../names/files.ts'
import { Questions } from '../names/questions.ts'
import type { Found } from '../names/wire.ts'
import type { NameTalk } from '../outgoing/datagram-socket.ts'
import type { LearnedNames } from '../outgoing/learned-names.ts'
import type { Outgoing, OutgoingCall } from '../outgoing/outgoing.ts'
import type { LookupSink } from '../traffic/traffic.ts'

type Facts = NameFacts & { addresses: readonly string[] }
const dnsPort = 53

export class PodNames {
  readonly #features
  readonly #questions: Questions
  readonly #outgoing: Pick<Outgoing, 'connect' | 'abandoned'>
  readonly #choose: (name: string) => Choice
  readonly #lookups: LookupSink
  #nameservers: ReadonlySet<string> = new Set()
  #addresses: readonly string[] = []
  #questionMs = 0
  readonly #onNotice: (text: string) => void
  readonly #learned: LearnedNames
  #search: readonly string[] = []

  constructor(options: {
    config: SessionConfig
    outgoing: Pick<Outgoing, 'connect' | 'abandoned' | 'refuse'>
    lookups: LookupSink
    open(payload: Dial): LinkStream | undefined
    complete(from: Endpoint): Promise<Socket>
    learned: LearnedNames
    /** A sentence for the log. */
    onNotice(text: string): void
  }) {
    this.#features = featuresOf(options.config)
    this.#outgoing = options.outgoing
    this.#learned = options.learned
    this.#onNotice = options.onNotice
    const choice = nameChoice(this.#features.filter)
    this.#choose = name => choice(name, this.#search)
    this.#lookups = options.lookups
    this.#questions = new Questions({
      open: options.open,
      complete: options.complete,
      refuse: (call, errno) => options.outgoing.refuse(call, errno),
      sink: options.lookups,
      choose: this.#choose,
      learned: found => this.#learn(found),
    })
  }

  /** What the hooks give to processes; resolves when connections to what is in its hosts file are decided by the names there. */
  async of(facts: Facts): Promise<Names> {
    const { resolvConf = '', hosts = '' } = facts.nameFiles
    this.#addresses = facts.addresses
    const config = parseResolvConf(resolvConf)
    this.#questionMs = questionMs(config)
    const names = podNamesOf(facts, this.#features, readNsswitch())
    this.#nameservers = new Set(this.#features.dns ? nameserversOf(resolvConf) : [])
    this.#search = this.#features.dns ? config.search : []
    this.#learned.setSearch(this.#search)
    if (this.#features.dns) await this.#learnHosts(hosts)
    return names
  }

  /** Why names are not all there. */
  warningsOf({ nameFiles }: NameFacts): string[] {
    return this.#features.dns ? nameFiles.notices : []
  }

  /** A process's connection to what is the pod's. */
  connect(call: OutgoingCall): void {
    const { address } = call.to
    if (this.isNameserver(call.to))
      void this.#questions.connect(call, {
        own: { address: this.#ownFor(address), port: call.from.port },
        withinMs: this.#questionMs,
      })
    else this.#outgoing.connect(call)
  }

  isNameserver({ address, port }: Endpoint): boolean {
    return port === dnsPort && this.#nameservers.has(address)
  }

  abandoned(...args: Parameters<Outgoing['abandoned']>): void {
    this.#outgoing.abandoned(...args)
  }

  /** Questions by datagram; undefined when the peer is no nameserver. */
  talkTo(peer: Endpoint): NameTalk | undefined {
    if (!this.isNameserver(peer)) return undefined
    return new DatagramTalk({
      nameserver: peer,
      sink: this.#lookups,
      withinMs: this.#questionMs,
      choose: this.#choose,
      learned: found => this.#learn(found),
    })
  }

  close(): void {
    this.#questions.close()
  }

  /** Processes read the file after that. A supervisor that does not confirm it in time is one that does not answer its processes either. */
  async #learnHosts(hosts: string): Promise<void> {
    const all = [...parseHosts(hosts)].map(([name, addresses]) => this.#learned.learned(name, addresses))
    for (const outcome of await Promise.allSettled(all))
      if (outcome.status === 'rejected')
        this.#onNotice(`The hosts file is not in force: ${outcome.reason.message}`)
  }

  async #learn(found: Found | undefined): Promise<void> {
    if (found !== undefined) return this.#learned.learned(found.name, found.addresses)
    if (this.#learned.hasEntries) throw new Error('Cannot read the answer, and the filter has names')
  }

  #ownFor(address: string): string {
    const isSix = address.includes(':')
    return this.#addresses.find(own => own.includes(':') === isSix) ?? (isSix ? '::1' : '127.0.0.1')
  }
}

/** Names are asked for by connections, so that they stay this machine's where these do. */
function featuresOf({ feature }: SessionConfig) {
  const { dns = true, outgoing = true } = feature?.network ?? {}
  const leaves = typeof outgoing === 'boolean' ? outgoing : (outgoing.tcp ?? true)
  return {
    dns: leaves && (typeof dns === 'boolean' ? dns : (dns.enabled ?? true)),
    filter: typeof dns === 'boolean' ? undefined : dns.filter,
    hostname: feature?.hostname ?? true,
  }
}

function readNsswitch(): string {
  try {
    return readFileSync('/etc/nsswitch.conf', 'utf8')
  } catch {
    return '' // musl has none, and glibc does as well without
  }
}

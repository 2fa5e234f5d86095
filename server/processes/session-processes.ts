// The commands of one session: launched by the server, or prepared for the client to start; all of them end with the session.
import { Failure } from '../../protocol/errors.ts'
import type { OutgoingRules, PodNames } from '../../protocol/hook/messages.ts'
import type { QuietPorts } from '../../protocol/hook/relay.ts'
import type { OutgoingFacts } from '../../protocol/outgoing/decide.ts'
import type { Learned } from '../../protocol/outgoing/filter.ts'
import { processExit } from '../../protocol/rpc/processes.ts'
import { orAborted } from '../deadline.ts'
import type { Outgoing } from '../outgoing/outgoing.ts'
import type { Client } from '../rpc/client.ts'
import type { LeavingFacts } from '../traffic/leaving.ts'
import { HookedProcess, type Start } from './hooked-process.ts'
import type { Hooks } from './hooks.ts'
import { LaunchedProcess, type LaunchOptions } from './launched.ts'
import type { Listener } from './listener-table.ts'
import { type Prepared, type PrepareOptions, prepare } from './prepared.ts'
import { SpawnedSupervisor } from './spawned.ts'

/** How long a command that goes on may have the processor for itself before the next supervisor is started. */
const warmUpAfterMs = 1_000

/** What a command is started with, as far as the session decides it. */
export type StartFacts = {
  environment: Record<string, string | null>
  addresses: string[]
  ports: number[]
  outgoing: OutgoingRules
  names: PodNames
}

type ConnectFacts = Pick<OutgoingFacts, 'isWanted' | 'isPodAddress' | 'hasListened' | 'substitutes'>

export type ProcessHost = {
  readonly sessionId: string
  readonly client: Client
  /** Another port is listened on, or one no longer, or a command ended. */
  onListening(): void
  readonly outgoing: Pick<Outgoing, 'connect' | 'abandoned'>
  /** A process connects to what is on this machine; told while somebody looks. */
  onStayed(facts: LeavingFacts): void
  readonly datagrams: Outgoing['datagrams']
}

export class SessionProcesses {
  readonly #all = new Map<string, HookedProcess>()
  readonly #launched = new Map<string, LaunchedProcess>()
  readonly #cleanups = new Set<() => Promise<void>>()
  readonly #forget: readonly (() => void)[]
  #facts: StartFacts | undefined
  #warm: SpawnedSupervisor | undefined
  #prepared = false
  #watched = false
  #ended = false

  constructor(
    readonly host: ProcessHost,
    readonly hooks: Hooks,
  ) {
    this.#forget = [
      hooks.guard.onReplaced(address => {
        for (const process of this.#all.values()) process.setGuard(address)
      }),
      hooks.relay.onReplaced(quiet => this.#setQuiet(quiet)),
    ]
  }

  /** Commands that run. */
  get count(): number {
    return [...this.#all.values()].filter(process => process.running).length
  }

  find(processId: string): HookedProcess | undefined {
    const found = this.#all.get(processId)
    return found?.hasExited ? undefined : found
  }

  launched(processId: string): LaunchedProcess | undefined {
    return this.#launched.get(processId)
  }

  /** The session runs: commands that were prepared start, and a supervisor is made ready for the first launch. */
  run(facts: StartFacts): void {
    const { quiet = facts.outgoing.quiet } = this.#early
    const outgoing = { ...facts.outgoing, watched: this.#watched }
    this.#facts = { ...facts, outgoing: quiet === undefined ? outgoing : { ...outgoing, quiet } }
    for (const process of this.#all.values()) void this.#start(process, {})
    if (!this.#prepared) void this.#warmUp()
  }

  setPorts(ports: number[]): void {
    if (this.#facts === undefined) return
    this.#facts = { ...this.#facts, ports }
    for (const process of this.#all.values()) process.setPorts(ports)
  }

  /** Another pod has taken the place of the one before. */
  setPod(pod: { names: PodNames; addresses: string[] }): void {
    if (this.#facts === undefined) return
    this.#facts = { ...this.#facts, ...pod }
    for (const process of this.#all.values()) process.setPod(pod)
  }

  /** A name of the filter has resolved; resolves when every supervisor obeys. */
  async learn(filter: OutgoingRules['filter'], learned: Learned): Promise<void> {
    if (this.#facts === undefined) return
    const rules = { ...this.#facts.outgoing, filter }
    this.#facts = { ...this.#facts, outgoing: rules }
    await Promise.all([...this.#all.values()].map(process => process.learn(rules, learned)))
  }

  /** A relay may be replaced while the session attaches. */
  #early: { quiet?: QuietPorts } = {}

  #setQuiet(quiet: QuietPorts): void {
    if (this.#facts === undefined) this.#early = { quiet }
    if (this.#facts?.outgoing.tcp) this.#setOutgoing({ quiet })
  }

  /** Whether somebody looks at connections that stay on this machine. */
  setWatched(watched: boolean): void {
    this.#watched = watched
    this.#setOutgoing({ watched })
  }

  #setOutgoing(changed: Partial<OutgoingRules>): void {
    if (this.#facts === undefined) return
    const rules = { ...this.#facts.outgoing, ...changed }
    this.#facts = { ...this.#facts, outgoing: rules }
    for (const process of this.#all.values()) process.setOutgoing(rules)
  }

  /** What the process stands in for, and where it had to take another port. */
  get connectFacts(): ConnectFacts {
    const listeners = [...this.#all.values()].flatMap(process => process.listeners.all)
    const moved = listeners.filter(({ asked, actual }) => asked.port !== actual.port)
    return {
      isWanted: port => this.#facts?.ports.includes(port) ?? false,
      isPodAddress: address => this.#facts?.addresses.includes(address) ?? false,
      hasListened: port => listeners.some(({ asked }) => asked.port === port),
      substitutes: new Map(moved.map(({ asked, actual }) => [asked.port, actual.port])),
    }
  }

  /** The newest listener on a port of the process, with the process that has it. */
  listenerOn(port: number): { process: HookedProcess; listener: Listener } | undefined {
    for (const process of [...this.#all.values()].reverse()) {
      const listener = process.listeners.all.reverse().find(({ asked }) => asked.port === port)
      if (listener !== undefined && process.connected) return { process, listener }
    }
    return undefined
  }

  get listeningPorts(): number[] {
    return [...this.#all.values()].flatMap(({ listeners }) => listeners.ports)
  }

  /** When `signal` aborts, whatever has begun is ended before it throws. */
  async launch(options: LaunchOptions, signal: AbortSignal): Promise<LaunchedProcess> {
    await orAborted(this.hooks.require(), signal)
    const supervisor = await this.#takeSupervisor(options.stdin)
    if (this.#ended) {
      await supervisor.end()
      throw new Failure('session-not-running', { sessionId: this.host.sessionId, state: 'stopped' })
    }
    const process = this.track(supervisor.processId, options.command.join(' '))
    const launched = new LaunchedProcess(process, supervisor, this.host.client)
    this.#launched.set(process.id, launched)
    void launched.closed.then(() => this.#launched.delete(process.id))
    try {
      process.take(await orAborted(supervisor.channel, signal))
      await orAborted(this.#start(process, options), signal)
      await orAborted(process.started, signal)
    } catch (thrown) {
      if (signal.aborted) await process.end()
      if (!process.hasExited) process.abandon(thrown as Failure)
      await supervisor.end()
      this.#launched.delete(process.id)
      throw thrown
    } finally {
      this.#warmUpAfter(process)
    }
    return launched
  }

  async prepare(options: PrepareOptions): Promise<Prepared> {
    await orAborted(this.hooks.require(), options.signal)
    this.#prepared = true
    void this.hooks.guard.address().catch(() => {})
    const prepared = await prepare(this, options)
    this.#cleanups.add(prepared.remove)
    if (this.#ended) await prepared.remove()
    return prepared
  }

  /** Begins to look after a process; `report` is false for those whose id the client was never told. */
  track(id: string, label: string, { report = false } = {}): HookedProcess {
    const { client } = this.host
    const process = new HookedProcess(id, label, {
      listening: () => this.host.onListening(),
      closed: () => this.host.onListening(),
      connect: call => this.host.outgoing.connect(call),
      abandoned: (connection, options) => this.host.outgoing.abandoned(connection, options),
      stayed: facts => this.host.onStayed(facts),
      datagrams: {
        datagrams: call => void this.host.datagrams.ask(call),
        datagramsClosed: socket => this.host.datagrams.closed(id, socket),
      },
      notice: (level, text) => (level === 'warning' ? client.show(level, text) : client.log(level, text)),
      orphaned: ({ hasExited }) =>
        client.show(
          'warning',
          `The supervisor of "${label}" was killed: ${hasExited ? 'what it left behind' : 'the command'} runs on, but nothing reaches it any more`,
        ),
    })
    this.#all.set(id, process)
    void process.exited.then(exit => {
      if (report) client.notify(processExit, { processId: id, ...exit })
    })
    void process.gone.then(() => {
      this.#all.delete(id)
      this.host.datagrams.gone(id)
      this.host.onListening()
    })
    return process
  }

  /** A process whose supervisor has come by itself: it starts when the session runs. */
  arrived(process: HookedProcess): void {
    if (!this.#ended) {
      if (this.#facts !== undefined) void this.#start(process, {})
      return
    }
    process.abandon(new Failure('session-not-running', { sessionId: this.host.sessionId, state: 'stopped' }))
  }

  /** Ends every command and removes what was made for them. */
  async end(): Promise<void> {
    this.#ended = true
    const warm = this.#warm
    this.#warm = undefined
    const launched = [...this.#launched.values()]
    await Promise.all([
      warm?.end(),
      ...[...this.#all.values()].map(process => process.end()),
      ...[...this.#cleanups].map(remove => remove()),
    ])
    await Promise.all(launched.map(one => one.end()))
    for (const forget of this.#forget) forget()
  }

  async #start(process: HookedProcess, own: Partial<LaunchOptions>): Promise<void> {
    if (this.#facts === undefined) return
    try {
      const address = await this.hooks.guard.address()
      const facts = this.#facts
      const start: Start = { ...facts, ...address, environment: { ...facts.environment, ...own.environment } }
      if (own.command !== undefined) start.command = own.command
      if (own.cwd !== undefined) start.cwd = own.cwd
      process.start(start)
    } catch (thrown) {
      process.abandon(thrown as Failure)
    }
  }

  async #takeSupervisor(stdin: 'null' | 'pipe'): Promise<SpawnedSupervisor> {
    const warm = this.#warm
    if (stdin === 'pipe' || warm === undefined || !warm.usable) {
      return new SpawnedSupervisor(this.hooks.newProcessId(), stdin, await this.hooks.socket())
    }
    this.#warm = undefined
    return warm
  }

  /** Not while the command is getting started, which wants the processor for itself. */
  #warmUpAfter(process: HookedProcess): void {
    const begin = () => {
      clearTimeout(timer)
      void this.#warmUp()
    }
    const timer = setTimeout(begin, warmUpAfterMs)
    timer.unref()
    void process.exited.then(begin)
  }

  /** One idle supervisor, for commands without input: most are. */
  async #warmUp(): Promise<void> {
    const support = await this.hooks.support()
    if (!support.hooks || this.#ended || this.#warm?.usable) return
    void this.hooks.guard.address().catch(() => {})
    const socket = await this.hooks.socket()
    if (this.#ended || this.#warm?.usable) return
    const warm = new SpawnedSupervisor(this.hooks.newProcessId(), 'null', socket)
    this.#warm = warm
    const tell = () =>
      this.host.client.log('info', `The next command of session "${this.host.sessionId}" starts at once`)
    void warm.channel.then(channel => channel.warm.then(tell)).catch(() => {})
  }
}

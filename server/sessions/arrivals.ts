// What arrives at a session: which of the pod's ports are captured, to whom their copies go, and what was lost of them.
import { type AgentEvent, captureCounters } from '../../protocol/agent/control.ts'
import { object } from '../../protocol/codec.ts'
import type { SessionConfig } from '../../protocol/config.ts'
import { asFailure } from '../../protocol/errors.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { settledWithin } from '../deadline.ts'
import type { Reverses } from '../forwarding/reverses.ts'
import { createIncoming, type Incoming } from '../incoming/incoming.ts'
import type { SessionProcesses } from '../processes/session-processes.ts'
import type { Client } from '../rpc/client.ts'
import type { Traffic } from '../traffic/traffic.ts'
import type { AgentTalk } from './agent-talk.ts'
import { Captured } from './captured.ts'
import { Losses } from './losses.ts'
import { capturedPorts, portRules, processPortOf, wantedProcessPorts } from './ports.ts'
import { Subscription } from './subscription.ts'

const nothing = object('Nothing', {})
/** What the agent may take to say what it lost, before it is ended. */
const lastCountersMs = 500

export type ArrivalsOptions = {
  config: SessionConfig
  client: Client
  traffic: Traffic
  processes: Pick<SessionProcesses, 'listenerOn' | 'listeningPorts' | 'setPorts'>
  reverses: Pick<Reverses, 'podPorts' | 'listenerFor'>
  /** The agent; undefined while there is none. */
  talk(): AgentTalk | undefined
  over(): boolean
}

export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #rules
  readonly #incoming: Incoming
  readonly #subscription: Subscription
  readonly #losses: Losses
  readonly #captured: Captured
  #podPorts: readonly number[] = []

  constructor(options: ArrivalsOptions) {
    const { client, traffic } = options
    this.#options = options
    this.#rules = portRules(options.config)
    this.#losses = new Losses(client)
    this.#captured = new Captured(client)
    traffic.onNeedsChanged = () => this.resubscribe()
    this.#incoming = createIncoming({
      traffic,
      listenerFor: podPort => this.#listenerFor(podPort),
      onLost: reason => this.#losses.copy(reason),
      onNotice: text => client.log('warning', text),
    })
    this.#subscription = new Subscription(
      async wish => {
        await options.talk()?.ask({ ask: 'subscribe', ...wish }, nothing)
        this.#captured.tell(wish.ports)
      },
      thrown => this.#captureFailed(thrown),
    )
  }

  get mirror(): boolean {
    return this.#rules.mirror
  }

  get podPorts(): readonly number[] {
    return this.#podPorts
  }

  /** The process's ports that the hooks look after, from what the pod listens on now. */
  wantedPorts(podPorts: readonly number[]): number[] {
    this.#podPorts = podPorts
    return wantedProcessPorts(this.#rules, podPorts)
  }

  accept(stream: LinkStream, payload: unknown): void {
    this.#incoming.accept(stream, payload)
  }

  setPodPorts(podPorts: readonly number[]): void {
    this.#options.processes.setPorts(this.wantedPorts(podPorts))
    void this.resubscribe()
  }

  counted({ counters }: Extract<AgentEvent, { event: 'counters' }>): void {
    this.#losses.agent(counters)
  }

  /** Another agent captures nothing until it is told. */
  async renewed(): Promise<void> {
    this.#captured.forget()
    this.#losses.agentAgain()
    await this.#subscription.again()
  }

  resubscribe(): Promise<void> {
    const { traffic, processes, reverses } = this.#options
    const { viewing, answers } = traffic.needs
    const listening = processes.listeningPorts
    const wanted = capturedPorts(this.#rules, { podPorts: this.#podPorts, listening, viewing })
    const ports = [...new Set([...wanted, ...reverses.podPorts])].sort((a, b) => a - b)
    return this.#subscription.want({ ports, answers: ports.length === 0 ? 'none' : answers })
  }

  /** An agent that cannot be reached has said what it lost until then. */
  async lastCounters(): Promise<void> {
    const counters = this.#options
      .talk()
      ?.ask({ ask: 'counters' }, captureCounters)
      .then(last => this.#losses.agent(last))
    if (counters !== undefined) await settledWithin(counters, lastCountersMs)
  }

  close(reason: string): void {
    this.#incoming.close(reason)
  }

  /** After the agent, which may have lost something until then. */
  end(): void {
    this.#losses.end()
  }

  #listenerFor(podPort: number) {
    const reversed = this.#options.reverses.listenerFor(podPort)
    if (reversed !== undefined) return reversed
    const found = this.#options.processes.listenerOn(processPortOf(this.#rules, podPort))
    if (found === undefined) return undefined
    const { process, listener } = found
    return {
      ...listener,
      announce: (connection: Parameters<typeof process.announcements.announce>[0]) =>
        process.announcements.announce(connection),
    }
  }

  #captureFailed(thrown: unknown): void {
    const { client, over, talk } = this.#options
    if (over() || talk() === undefined) return
    const { message, data } = asFailure(thrown, 'subscribe')
    client.show('warning', `No traffic is captured: ${message}. ${data.fix}`)
  }
}

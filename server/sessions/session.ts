// One session: a target, an agent in it, and the commands that stand in for it.
import type * as t from 'io-ts'
import { type AgentEvent, type TargetFacts, targetFacts } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import type { SessionConfig } from '../../protocol/config.ts'
import { asFailure, Failure } from '../../protocol/errors.ts'
import type { startSession } from '../../protocol/rpc/sessions.ts'
import { orAborted } from '../deadline.ts'
import { Forwarding } from '../forwarding/forwarding.ts'
import type { Log } from '../log.ts'
import type { Circumstances } from '../outgoing/explain.ts'
import { LearnedNames } from '../outgoing/learned-names.ts'
import { Outgoing } from '../outgoing/outgoing.ts'
import type { Hooks } from '../processes/hooks.ts'
import { SessionProcesses } from '../processes/session-processes.ts'
import type { Client } from '../rpc/client.ts'
import { findTarget } from '../targets/find.ts'
import type { Found, OnStep } from '../targets/found.ts'
import { createTraffic, type Traffic } from '../traffic/traffic.ts'
import type { AgentTalk } from './agent-talk.ts'
import { Arrivals } from './arrivals.ts'
import { decideEnvironment, startEnvironment } from './environment.ts'
import { Hold } from './hold.ts'
import { outgoingRulesOf, settleOutgoing } from './outgoing-rules.ts'
import { PodNames } from './pod-names.ts'
import { Startup } from './startup.ts'
import { Status } from './status.ts'
import { warningsOf } from './warnings.ts'

export type SessionOptions = {
  id: string
  target: string
  config: SessionConfig
  client: Client
  log: Log
  hooks: Hooks
}
type Started = t.TypeOf<(typeof startSession)['result']>
type Settled = Awaited<ReturnType<typeof settleOutgoing>>
const lastCopiesMs = 500

export class Session {
  readonly status: Status
  readonly processes: SessionProcesses
  readonly traffic: Traffic = createTraffic()
  /** What names resolved to. */
  readonly learnedNames: LearnedNames
  readonly forwarding: Forwarding
  readonly #options: SessionOptions
  readonly #arrivals: Arrivals
  readonly #outgoing: Outgoing
  readonly #names: PodNames
  /** Aborts what is under way when the session ends. */
  readonly #life = new AbortController()
  readonly #hold: Hold
  /** Attaching, which must have undone itself before the session is over. */
  #work: Promise<void> = Promise.resolve()
  #ending: Promise<void> | undefined

  constructor(options: SessionOptions) {
    const { id, target, client, hooks } = options
    this.#options = options
    this.status = new Status(id, target, client, () => this.processes.count)
    this.#outgoing = new Outgoing({
      open: payload => (this.status.over ? undefined : this.#hold.stream(payload)),
      complete: from => hooks.relay.complete(from),
      talkTo: peer => this.#names.talkTo(peer),
      view: facts => this.traffic.leaving(this.#named(facts)),
      viewFlow: wish => this.traffic.flow(this.#named(wish)),
      onNotice: text => client.log('info', text),
    })
    this.learnedNames = new LearnedNames(outgoingRulesOf(options.config).filter, (filter, learned) =>
      this.processes.learn(filter, learned),
    )
    this.#names = new PodNames({
      config: options.config,
      outgoing: this.#outgoing,
      lookups: this.traffic.lookups,
      open: payload => (this.status.over ? undefined : this.#hold.stream(payload)),
      complete: from => hooks.relay.complete(from),
      learned: this.learnedNames,
      onNotice: text => client.log('warning', text),
    })
    this.processes = new SessionProcesses(
      {
        ...{ sessionId: id, client, outgoing: this.#names, datagrams: this.#outgoing.datagrams },
        onListening: () => this.#arrivals.resubscribe(),
        onStayed: facts => this.traffic.stayed(this.#named(facts)),
      },
      hooks,
    )
    this.traffic.onWatched = watched => this.processes.setWatched(watched)
    this.forwarding = new Forwarding({
      ...{ sessionId: id, target, client },
      open: payload => (this.status.over ? undefined : this.#hold.stream(payload)),
      podPorts: () => this.#arrivals.podPorts,
      onReversed: () => void this.#arrivals.resubscribe(),
    })
    this.#arrivals = new Arrivals({
      config: options.config,
      client,
      traffic: this.traffic,
      processes: this.processes,
      reverses: this.forwarding.reverses,
      talk: () => this.#hold.talk,
      over: () => this.status.over,
    })
    this.#hold = this.#createHold()
  }

  #named<F extends { to: Endpoint }>(facts: F): F & { name: string | undefined } {
    return { ...facts, name: this.learnedNames.nameOf(facts.to.address) }
  }

  /** What decides where connections of its processes go. */
  get circumstances(): Circumstances {
    const rules = outgoingRulesOf(this.#options.config)
    const isNameserver = (to: Endpoint) => this.#names.isNameserver(to)
    return { rules, names: this.learnedNames, isNameserver, ...this.processes.connectFacts }
  }

  get id(): string {
    return this.#options.id
  }

  /** Attaches; when it fails or is cancelled, everything begun is ended before it throws. */
  async start(signal: AbortSignal, onStep: OnStep): Promise<Started> {
    const stop = () => this.#life.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const work = this.#start(onStep)
    this.#work = work.then(
      () => {},
      () => {},
    )
    try {
      return await work
    } catch (thrown) {
      const cause = asFailure(this.#life.signal.aborted ? this.#life.signal.reason : thrown, 'startSession')
      if (signal.aborted)
        await this.end('stopped', cause.kind === 'cancelled' ? 'cancelled by the client' : cause.message)
      else await this.end('failed', cause.message)
      throw cause
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #start(onStep: OnStep): Promise<Started> {
    const { log, config, client } = this.#options
    const { signal } = this.#life
    this.status.tell()
    onStep('resolve', `looking for ${this.status.target}`)
    const question = { config, signal, log, tell: client.show, onStep: this.#whileStarting(onStep) }
    const found = await findTarget(this.status.target, question)
    const startup = new Startup(found.startupSeconds)
    const outgoing = settleOutgoing(this.#options)
    const talk = await this.#hold.start(found, onStep, startup)
    const told = talk.ask({ ask: 'describe' }, targetFacts)
    const lack = () => 'the agent has not said what its target is'
    const facts = await orAborted(startup.within(told, lack), signal)
    const started = await this.#begin(facts, found, await outgoing)
    onStep('ready', `${facts.hostname} is attached`)
    return started
  }

  /** The connection to a cluster outlives the progress of the start. */
  #whileStarting(onStep: OnStep): OnStep {
    return (step, message) => {
      if (this.status.state === 'starting') onStep(step, message)
    }
  }

  /** Ends commands, traffic and agent; resolves when nothing of the session is left. */
  end(state: 'stopped' | 'failed', reason: string): Promise<void> {
    this.#ending ??= this.#end(state, reason)
    return this.#ending
  }

  async #end(state: 'stopped' | 'failed', reason: string): Promise<void> {
    if (!this.#life.signal.aborted) {
      this.#life.abort(new Failure('session-not-running', { sessionId: this.id, state }))
    }
    await Promise.all([this.processes.end(), this.#work, this.#hold.settled])
    await this.#detach(reason)
    this.traffic.close()
    this.status.set(state, { reason })
  }

  async #detach(reason: string): Promise<void> {
    if (this.status.state === 'running') await this.#arrivals.lastCounters()
    this.#arrivals.close(reason)
    this.#names.close()
    this.#outgoing.close()
    this.forwarding.close()
    await this.#hold.end(reason)
    this.#arrivals.end()
  }

  #createHold(): Hold {
    const { id, client, log } = this.#options
    return new Hold({
      sessionId: id,
      signal: this.#life.signal,
      log,
      tell: client.show,
      events: {
        event: event => this.#agentEvent(event),
        open: (stream, payload) => this.#arrivals.accept(stream, payload),
        running: () => this.#setLink('running'),
        reconnecting: (reason, attempt) => this.#setLink('reconnecting', { reason, attempt }),
        renewed: talk => void this.#renew(talk).catch(thrown => this.#renewFailed(thrown)),
        moved: where => client.show('info', `Session ${id} goes on with ${where}`),
        lost: (state, reason) => void this.#leave(state, reason),
      },
    })
  }

  #setLink(state: 'running' | 'reconnecting', why?: { reason: string; attempt: number }): void {
    const isDown = state === 'reconnecting'
    this.#outgoing.setLink({ isDown })
    this.forwarding.setLink({ isDown })
    this.status.set(state, why)
  }

  /** Another agent knows of nothing, and its pod may listen on other ports. */
  async #renew(talk: AgentTalk): Promise<void> {
    this.#outgoing.lost()
    this.forwarding.renewed()
    const captured = this.#arrivals.renewed()
    const facts = await talk.ask({ ask: 'describe' }, targetFacts)
    if (this.#hold.talk !== talk) return
    this.processes.setPod({ names: await this.#names.of(facts), addresses: facts.addresses })
    await captured
    this.#arrivals.setPodPorts(facts.ports)
  }

  /** An agent that is lost again is followed by another one, which is asked anew. */
  #renewFailed(thrown: unknown): void {
    const { message } = asFailure(thrown, 'describe')
    this.#options.client.log('warning', `What is known of the pod is that of the one before: ${message}`)
  }

  async #begin(facts: TargetFacts, found: Found, outgoing: Settled): Promise<Started> {
    const { config, hooks } = this.#options
    const support = await hooks.support()
    const environment = decideEnvironment(facts.environment, config.feature?.env)
    const names = await this.#names.of(facts)
    this.processes.run({
      names,
      outgoing: this.learnedNames.into(outgoing.rules),
      environment: startEnvironment(environment),
      addresses: facts.addresses,
      ports: this.#arrivals.wantedPorts(facts.ports),
    })
    if (this.#life.signal.aborted) throw this.#life.signal.reason
    this.status.set('running')
    void this.#arrivals.resubscribe()
    const { hostname, addresses, ports } = facts
    const target = { ...facts.target, ...found.target, ports }
    const known = [...found.notices, ...outgoing.warnings, ...this.#names.warningsOf(facts)]
    const { mirror } = this.#arrivals
    const warnings = warningsOf({ facts, support, mirror, outgoing: outgoing.rules, known })
    return { sessionId: this.id, target, hostname, addresses, ports, environment, warnings }
  }

  #agentEvent(event: AgentEvent): void {
    const { client } = this.#options
    if (event.event === 'dialled' || event.event === 'dialFailed') {
      this.#outgoing.hear(event)
      this.forwarding.hear(event)
    } else if (event.event === 'ports') this.#arrivals.setPodPorts(event.ports)
    else if (event.event === 'targetEnded') this.#targetEnded()
    else if (event.event === 'counters') this.#arrivals.counted(event)
    else if (event.level === 'warning') client.show('warning', event.text)
    else client.log('info', event.text)
  }

  /** What was captured before the end is still on its way, and control frames go ahead of it. */
  #targetEnded(): void {
    const leave = () => void this.#leave('stopped', "the target's process ended")
    if (this.status.state === 'starting') leave()
    else setTimeout(leave, lastCopiesMs).unref()
  }

  /** Nothing arrives any more, and the commands run on: whoever debugs one does not want to lose it with the pod. */
  async #leave(state: 'stopped' | 'failed', reason: string): Promise<void> {
    if (this.status.over || this.#life.signal.aborted) return
    if (this.status.state === 'starting') {
      return this.#life.abort(new Failure('target-ended', { target: this.status.target }))
    }
    const commands = this.processes.count
    await this.#detach(reason)
    this.status.set(state, { reason })
    const rest = commands > 0 ? '; its commands run on, but nothing reaches them any more' : ''
    this.#options.client.show('warning', `Session ${this.id} (${this.status.target}) ended: ${reason}${rest}`)
  }
}

// One command under the hooks, from the supervisor's first word to the end of its last process.
import { Failure } from '../../protocol/errors.ts'
import type { FromSupervisor, OutgoingRules, PodNames, ToSupervisor } from '../../protocol/hook/messages.ts'
import type { Learned } from '../../protocol/outgoing/filter.ts'
import { settledWithin } from '../deadline.ts'
import { toldFailure } from '../told-failure.ts'
import type { LeavingFacts } from '../traffic/leaving.ts'
import { Announcements } from './announcements.ts'
import type { Channel } from './channel.ts'
import { type ConnectEvents, ConnectTalk, isOfConnects } from './connect-talk.ts'
import { type DatagramEvents, DatagramTalk, isOfDatagrams } from './datagram-talk.ts'
import type { GuardAddress } from './guard.ts'
import { Learnings } from './learnings.ts'
import { type Listener, ListenerTable } from './listener-table.ts'
import { commandWatch, endMarked, markedProcesses } from './orphan.ts'

export type Start = Omit<Extract<ToSupervisor, { type: 'start' }>, 'type'>
/** As process/exit reports it. */
export type Exit = { code?: number; signal?: string; failure?: string }

export type HookedProcessEvents = ConnectEvents & {
  listening(listener: Listener): void
  /** It has not listened on a port for a while on which it did. */
  closed(): void
  notice(level: 'info' | 'warning', text: string): void
  /** A process connects to what is on this machine, and somebody looks. */
  stayed(facts: LeavingFacts): void
  readonly datagrams: DatagramEvents
  /** The supervisor was killed while its command ran, or what that left behind. */
  orphaned(at: { hasExited: boolean }): void
}

/** What a command is given to end by itself. */
const killAfterMs = 5_000
const endPatienceMs = killAfterMs + 2_000

const endingSignals: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGKILL'])

export class HookedProcess {
  /** Resolves with the command's pid; rejects when it could not be started. */
  readonly started: Promise<number>
  /** Resolves when the command has ended; others that it started may live on. */
  readonly exited: Promise<Exit>
  /** Resolves when nothing of it is hooked any more. */
  readonly gone: Promise<void>
  readonly listeners: ListenerTable
  readonly announcements: Announcements
  readonly #learnings = new Learnings(message => this.send(message))
  readonly #connects: ConnectTalk
  readonly #datagrams: DatagramTalk
  #channel: Channel | undefined
  #start: Start | undefined
  #pid: number | undefined
  #hasExited = false
  /** The supervisor has said that nothing of it runs any more. */
  #isDone = false
  /** Signals that the supervisor has not confirmed: if it is killed, they are given to the command without it. */
  #unconfirmed: string[] = []
  #orphan: ReturnType<typeof commandWatch> | undefined
  #resolve!: { started(pid: number): void; exited(exit: Exit): void; gone(): void }
  #fail!: (failure: Failure) => void

  constructor(
    readonly id: string,
    readonly label: string,
    readonly events: HookedProcessEvents,
  ) {
    this.started = new Promise((started, reject) => {
      this.#resolve = { started, exited: () => {}, gone: () => {} }
      this.#fail = reject
    })
    this.started.catch(() => {})
    this.exited = new Promise(exited => (this.#resolve.exited = exited))
    this.gone = new Promise(gone => (this.#resolve.gone = gone))
    this.listeners = new ListenerTable(() => events.closed())
    this.announcements = new Announcements(message => this.send(message))
    const tell = (message: ToSupervisor) => {
      this.send(message)
      return this.connected
    }
    this.#connects = new ConnectTalk(events, tell)
    this.#datagrams = new DatagramTalk(id, events.datagrams, tell)
  }

  /** Whether the command runs. */
  get running(): boolean {
    return this.#pid !== undefined && !this.#hasExited
  }

  get hasExited(): boolean {
    return this.#hasExited
  }

  get connected(): boolean {
    return this.#channel !== undefined && !this.#channel.closed
  }

  /** The supervisor has come. It starts the command at once if `start` was called before. */
  take(channel: Channel): void {
    if (this.#hasExited) {
      channel.close()
      return
    }
    this.#channel = channel
    channel.events = { message: message => this.#message(message), closed: () => this.#closed() }
    if (this.#start !== undefined) this.send({ type: 'start', ...this.#start })
  }

  /** Once: whoever comes second, the running session or the supervisor, finds it done. */
  start(start: Start): void {
    if (this.#start !== undefined) return
    this.#start = start
    this.send({ type: 'start', ...start })
  }

  /** Another guard has taken the place of the one that `start` named. */
  setGuard(address: GuardAddress): void {
    if (this.#start === undefined) return
    this.#start = { ...this.#start, ...address }
    this.send({ type: 'guard', ...address })
  }

  /** A name of the filter has resolved; `rules` hold that already. Resolves when it is in force. */
  async learn(rules: OutgoingRules, learned: Learned): Promise<void> {
    if (this.#start === undefined) return
    this.#start = { ...this.#start, outgoing: rules }
    if (this.connected) await this.#learnings.learn(learned)
  }

  /** Another relay has taken the place of the one that `start` named. */
  setOutgoing(rules: OutgoingRules): void {
    if (this.#start === undefined) return
    this.#start = { ...this.#start, outgoing: rules }
    this.send({ type: 'outgoing', rules })
  }

  setPorts(ports: number[]): void {
    if (this.#start === undefined) return
    this.#start = { ...this.#start, ports }
    this.send({ type: 'ports', ports })
  }

  /** Another pod has taken the place of the one that `start` told of. */
  setPod(pod: { names: PodNames; addresses: string[] }): void {
    if (this.#start === undefined) return
    this.#start = { ...this.#start, ...pod }
    this.send({ type: 'names', ...pod })
  }

  send(message: ToSupervisor): void {
    this.#channel?.send(message)
  }

  /** The supervisor will not come: it could not be started, or its session ended before. */
  abandon(failure: Failure): void {
    this.#channel?.close()
    this.#finish({ failure: failure.message, ...exitCodeOf(failure) }, failure)
    this.#resolve.gone()
  }

  /** A command that waits for its session has not begun: a signal that would end it does so at once. */
  signal(name: string): void {
    if (this.#orphan !== undefined) this.#orphan.signal(name)
    else if (this.#pid !== undefined) {
      this.#unconfirmed.push(name)
      this.send({ type: 'signal', signal: name })
    } else if (endingSignals.has(name)) {
      this.#finish({ signal: name })
      this.#channel?.close()
      this.#resolve.gone()
    }
  }

  /** Ends everything that is hooked, SIGTERM first; resolves when it is gone, or when the supervisor does not manage. */
  async end(): Promise<void> {
    if (this.#orphan !== undefined) return this.#orphan.end(killAfterMs)
    if (this.#start === undefined || this.#channel === undefined) {
      return this.abandon(
        new Failure('hook-failed', { command: this.label, reason: 'the session ended before it started' }),
      )
    }
    this.send({ type: 'end', killAfterMs })
    if (await settledWithin(this.gone, endPatienceMs)) return
    this.#channel.close()
    endMarked(this.id)
  }

  #message(message: FromSupervisor): void {
    if (message.type === 'started') {
      this.#pid = message.pid
      this.#resolve.started(message.pid)
    } else if (message.type === 'failed') {
      const values = { command: this.label, reason: 'the supervisor reported a failure' }
      const failure = toldFailure(message.failure, { kind: 'hook-failed', values })
      this.#finish({ failure: failure.message, ...exitCodeOf(failure) }, failure)
    } else if (message.type === 'exit') {
      this.#finish({
        ...(message.code === undefined ? {} : { code: message.code }),
        ...(message.signal === undefined ? {} : { signal: message.signal }),
      })
    } else if (message.type === 'done') this.#isDone = true
    else if (message.type === 'listening') {
      this.listeners.add(message.listener, message)
      this.events.listening(message)
    } else if (message.type === 'closed') {
      this.listeners.close(message.listener)
    } else if (message.type === 'reached') this.announcements.reached(message.announcement, message.hooked)
    else if (message.type === 'announced') this.announcements.confirmed(message.announcement)
    else if (message.type === 'learned') this.#learnings.confirmed(message.learning)
    else if (message.type === 'signalled') this.#unconfirmed.shift()
    else if (isOfConnects(message)) this.#connects.take(message)
    else if (message.type === 'stayed')
      this.events.stayed({ protocol: message.protocol, to: message.to, rule: message.rule })
    else if (isOfDatagrams(message)) this.#datagrams.take(message)
    else if (message.type === 'notice') this.events.notice(message.level, message.text)
  }

  #closed(): void {
    this.#connects.close()
    this.listeners.clear()
    this.announcements.fail()
    this.#learnings.end()
    this.#datagrams.close()
    if (this.#isDone || this.#pid === undefined || this.#isOver()) {
      const failure = new Failure('hook-failed', { command: this.label, reason: 'the supervisor ended' })
      // Killed between starting the command and saying so: nobody knows that command.
      if (this.#pid === undefined && this.#start !== undefined) endMarked(this.id)
      this.#finish({ failure: failure.message }, failure)
      this.#resolve.gone()
      return
    }
    this.#orphan = commandWatch(this.#pid, this.id)
    for (const name of this.#unconfirmed) this.#orphan.signal(name)
    this.events.orphaned({ hasExited: this.#hasExited })
    void this.#orphan.exited.then(() =>
      this.#finish({
        failure: 'the supervisor was killed before the command ended, so its exit code is not known',
      }),
    )
    void this.#orphan.gone.then(() => this.#resolve.gone())
  }

  /** The supervisor may have been killed when the command had ended and nothing was left of it. */
  #isOver(): boolean {
    return this.#hasExited && markedProcesses(this.id).length === 0
  }

  #finish(exit: Exit, failure?: Failure): void {
    if (this.#hasExited) return
    this.#hasExited = true
    this.#fail(
      failure ?? new Failure('hook-failed', { command: this.label, reason: 'it ended before it started' }),
    )
    this.#resolve.exited(exit)
  }
}

/** As a shell reports a command that it could not start. */
function exitCodeOf({ kind }: Failure): { code: number } {
  return { code: kind === 'command-not-found' ? 127 : kind === 'command-not-executable' ? 126 : 125 }
}

// The supervisor's life: warm up, wait for start, run the command, stay until the last hooked process is gone, end as the command ended.
import { Failure } from '../protocol/errors.ts'
import { markLimit } from '../protocol/hook/mark.ts'
import {
  hookProcessVariable,
  hookSocketVariable,
  hookTokenVariable,
  type ToSupervisor,
} from '../protocol/hook/messages.ts'
import { commandEnvironment } from './command/environment.ts'
import { exitCodeOf, refuseToRunAlone } from './command/failure.ts'
import { followCommand, holdSignals } from './command/follow.ts'
import { endEverything, signalCommand } from './command/signals.ts'
import { type GuardLine, type Leaving, registerWithGuard } from './guard/register.ts'
import { becomeSubreaper, reapOrphans } from './linux/children.ts'
import { endAs } from './linux/group.ts'
import { whenHungUp } from './linux/hangup.ts'
import { exitAtOnce } from './linux/libc.ts'
import { markByLimit } from './linux/limits.ts'
import { isSocketHeld } from './linux/processes.ts'
import { openListenTable } from './linux/sock-diag.ts'
import { Listeners } from './listeners.ts'
import { guardNotice, inheritedNotices, privilegesNotice } from './notices.ts'
import { isFromProcess, Outbound } from './outbound.ts'
import { openServerLine, type ServerLine } from './server-line.ts'
import { watchAccepts } from './shared/accept-watch.ts'
import { type Announcements, openAnnouncements, setWanted } from './shared/announcements.ts'
import { plainFailure } from './shared/failures.ts'
import type { FromAnswerer, FromSpawner, PlainFailure } from './shared/threads.ts'
import { startThreads, type Threads } from './threads.ts'

type Start = Extract<ToSupervisor, { type: 'start' }>
type GuardAddress = Pick<Start, 'guard' | 'guardToken'>
type End = { code?: number; signal?: string }
/** Of a command line, in a sentence for the user. */
const shownCharacters = 200
/** How long what is hooked has to end by itself when the server is gone. */
const killAfterMs = 2000
/** What is delivered meanwhile is judged by itself; this is for the port's capture to end. */
const lookAtListenersMs = 500
/** The last word to the server may take so long, while trapped calls wait for the guard. */
const lastWordMs = 200

export function supervise(command: readonly string[]): void {
  const {
    [hookSocketVariable]: name,
    [hookTokenVariable]: token,
    [hookProcessVariable]: processId,
  } = process.env
  if (name === undefined || token === undefined || processId === undefined) {
    refuseToRunAlone()
    return
  }
  becomeSubreaper()
  // Where it cannot be set, the mark in the environment has to do.
  markByLimit(markLimit(processId))
  const supervisor = new Supervisor(command, processId, name)
  // Node would wait for the answerer, which waits for the next call.
  for (const fault of ['uncaughtException', 'unhandledRejection'])
    process.on(fault, thrown => supervisor.giveUp(thrown))
  supervisor.begin(token)
}

class Supervisor {
  readonly #line: ServerLine
  readonly #listeners = new Listeners(message => this.#line.say(message), {
    ...openListenTable(),
    isHeld: inode => isSocketHeld(inode, process.pid),
  })
  readonly #threads = startThreads({
    answerer: message => this.#hearAnswerer(message),
    spawner: message => this.#hearSpawner(message),
    died: thrown => this.giveUp(thrown),
  })
  /** Set when the server said start; from then on its end ends the command. */
  #isStarted = false
  #pid: number | undefined
  #started: readonly string[] = []
  #guard: GuardLine | undefined
  #leaves: Leaving = { outgoing: false, datagrams: false }
  #end: End | undefined
  /** Signals that came for the command before it was there. */
  #heldSignals: () => NodeJS.Signals[] = () => []

  constructor(
    readonly ownCommand: readonly string[],
    readonly processId: string,
    socketName: string,
  ) {
    this.#line = openServerLine(socketName, {
      message: message => this.#receive(message),
      end: () => (this.#isStarted ? this.#outlive() : exitAtOnce(125)),
      fault: reason => this.#fail(new Failure('hook-failed', { command: this.#shown, reason })),
    })
  }

  get #shown(): string {
    return this.ownCommand.join(' ')
  }

  begin(token: string): void {
    this.#line.say({ type: 'hello', token, process: this.processId, pid: process.pid })
    this.#threads.then(
      ({ memory, acceptWatch, noNewPrivileges }) => {
        this.#listeners.watch(memory.wanted)
        watchAccepts(acceptWatch, cookie => this.#listeners.find(cookie))
        setInterval(() => this.#listeners.look(), lookAtListenersMs)
        if (noNewPrivileges) this.#line.say({ type: 'notice', ...privilegesNotice })
        this.#line.say({ type: 'warm' })
      },
      thrown => this.#fail(thrown),
    )
  }

  /** A mistake of ours that leaves calls without an answer: the guard answers them as soon as this process is gone. */
  giveUp(thrown: unknown): void {
    setTimeout(() => exitAtOnce(125), lastWordMs)
    const text = `The supervisor ends because of a mistake in standin: ${thrown instanceof Error ? thrown.stack : thrown}`
    this.#line.say({ type: 'notice', level: 'warning', code: 'hook-mistake', text })
    this.#line.flush(() => exitAtOnce(125))
  }

  #fail(thrown: unknown): void {
    this.#refuse(plainFailure(thrown))
  }

  /** What runs already is not ended by a message that cannot be read. */
  #refuse(failure: PlainFailure): void {
    if (this.#pid !== undefined) return
    this.#line.say({ type: 'failed', failure })
    this.#line.flush(() => exitAtOnce(exitCodeOf(failure.kind)))
  }

  /** Waits for the threads, which keeps the order of messages. */
  #receive(message: ToSupervisor): void {
    if (message.type === 'start') this.#isStarted = true
    this.#threads.then(
      threads => this.#act(message, threads),
      () => undefined,
    )
  }

  #act(message: ToSupervisor, threads: Threads): void {
    switch (message.type) {
      case 'start':
        this.#start(message, threads)
        break
      case 'ports':
        setWanted(threads.memory.wanted, message.ports)
        this.#listeners.review()
        break
      case 'announce':
        this.#announcements(threads).put(message.announcement, message.source, message)
        // The answerer reads the same memory at each decision, so that it is in force from here on.
        this.#line.say({ type: 'announced', announcement: message.announcement })
        break
      case 'guard':
        this.#register(message, threads)
        break
      case 'connected':
        this.#line.say({
          type: 'reached',
          announcement: message.announcement,
          hooked: this.#listeners.reaches(message.to),
        })
        break
      case 'outgoing':
      case 'names':
        threads.tellAnswerer(message)
        break
      case 'learn':
      case 'dialled':
      case 'established':
      case 'refused':
      case 'unixMeet':
      case 'outlets':
      case 'outletAdded':
      case 'outletRefused':
        this.#outbound(threads).take(message)
        break
      case 'retract':
        this.#announcements(threads).retract(message.announcement)
        break
      case 'signal':
        signalCommand(this.#pid, message.signal)
        this.#line.say({ type: 'signalled' })
        break
      case 'end':
        if (!this.#isStarted) exitAtOnce(125)
        endEverything(message.killAfterMs)
    }
  }

  #opened: Announcements | undefined
  #announcements({ memory }: Threads): Announcements {
    this.#opened ??= openAnnouncements(memory.announcements)
    return this.#opened
  }

  #made: Outbound | undefined
  #outbound(threads: Threads): Outbound {
    this.#made ??= new Outbound(this.processId, message => this.#line.say(message), threads)
    return this.#made
  }

  #start(start: Start, threads: Threads): void {
    this.#started = start.command ?? this.ownCommand
    const { tcp = false, udp = false, unix } = start.outgoing ?? {}
    this.#leaves = { outgoing: tcp, datagrams: udp, unix }
    for (const notice of udp ? inheritedNotices() : []) this.#line.say({ type: 'notice', ...notice })
    const [file, ...args] = this.#started
    if (file === undefined) {
      this.#fail(new Failure('hook-failed', { command: '', reason: 'no command was given' }))
      return
    }
    setWanted(threads.memory.wanted, start.ports)
    threads.tellAnswerer({ type: 'addresses', addresses: start.addresses })
    if (start.outgoing !== undefined) threads.tellAnswerer({ type: 'outgoing', rules: start.outgoing })
    if (start.names !== undefined) threads.tellAnswerer({ type: 'names', names: start.names })
    this.#register(start, threads)
    this.#heldSignals = holdSignals()
    const environment = commandEnvironment(process.env, start.environment, this.processId)
    const cwd = start.cwd ?? process.cwd()
    threads.tellSpawner({ type: 'spawn', command: { file, args, environment, cwd } })
    whenHungUp(threads.notifications, () => this.#finish())
  }

  #register({ guard, guardToken }: GuardAddress, { notifications, ledger }: Threads): void {
    const registered = registerWithGuard({
      guard,
      token: guardToken,
      process: this.processId,
      ...this.#leaves,
      notifications,
      ledger,
    })
    if (typeof registered === 'number') {
      this.#line.say({ type: 'notice', ...guardNotice(registered) })
      return
    }
    this.#guard?.close()
    this.#guard = registered
  }

  /** Nobody is left to serve the command for. */
  #outlive(): void {
    const command = this.#started.join(' ').slice(0, shownCharacters)
    if (this.#pid !== undefined) this.#guard?.serverEnded({ pid: this.#pid, command })
    endEverything(killAfterMs)
  }

  #hearSpawner(message: FromSpawner): void {
    switch (message.type) {
      case 'refused':
        this.#refuse(message.failure)
        break
      case 'spawned':
        this.#pid = message.pid
        followCommand(message.pid, () => this.#end !== undefined)
        for (const name of this.#heldSignals()) signalCommand(message.pid, name)
        this.#line.say({ type: 'started', pid: message.pid })
        break
      case 'exit':
        this.#end = {
          ...(message.code === null ? {} : { code: message.code }),
          ...(message.signal === null ? {} : { signal: message.signal }),
        }
        this.#line.say({ type: 'exit', ...this.#end })
        reapOrphans(0)
    }
  }

  #hearAnswerer(message: FromAnswerer): void {
    if (message.type === 'notice') this.#line.say({ type: 'notice', ...message.notice })
    else if (message.type === 'listening') this.#listeners.add(message.listener)
    else if (isFromProcess(message)) void this.#threads.then(threads => this.#outbound(threads).hear(message))
  }

  /**
   * The descriptor hangs up when the command, all that it left behind and our own filtered thread have ended. What that thread said before may
   * be read later than this, even that it started the command; if it could not, the refusal ends us.
   */
  #finish(): void {
    const end = this.#end
    if (end === undefined) {
      setImmediate(() => this.#finish())
      return
    }
    this.#line.say({ type: 'done' })
    this.#line.flush(() => endAs(end))
  }
}

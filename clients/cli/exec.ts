// standin exec: asks a server for a session, runs the command's supervisor in this terminal, and ends with the command's exit code.
import { type ChildProcess, spawn } from 'node:child_process'
import type { ExecLine } from '../../protocol/cli-output.ts'
import { type ErrorKind, Failure } from '../../protocol/errors.ts'
import { logMessage, showMessage } from '../../protocol/rpc/lifecycle.ts'
import { prepareLaunch, processExit, signalProcess } from '../../protocol/rpc/processes.ts'
import { sessionStatus, startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { withDeadline } from '../rpc/deadline.ts'
import { deferred } from '../rpc/deferred.ts'
import { waitPatiently } from '../rpc/patience.ts'
import { type ReportedError, reportedError } from '../rpc/reported-error.ts'
import { introduce, type ServerProcess, startServer } from '../rpc/server-process.ts'
import { tellConnections } from './connections.ts'
import { exitCode, failedCode, type ProcessEnd, type SupervisorEnd, signalCode } from './exit-code.ts'
import type { Reporter } from './report.ts'
import { attachToken, reportSteps } from './report-steps.ts'
import { watchSignals } from './signals.ts'
import { levels } from './tell.ts'

export type ExecRequest = {
  command: string[]
  session: Parameters<typeof startSession.params.encode>[0]
  reporter: Reporter
  verbose: boolean
  /** Each connection that the command makes is told. */
  connections: boolean
  /** The lines are objects, for a script. */
  json: boolean
}

/** How long the server's word on the command's end is waited for after the supervisor ended, and the other way round for a failure. */
const lastWordMs = 2_000
/** The supervisor ends a command whose server is gone: SIGTERM, SIGKILL 2 s later. */
const orphanMs = 5_000
/** What a supervisor takes to end after its command, when nothing else is hooked. */
const supervisorEndMs = 500
/** Longer than ending an agent may take whose cluster does not answer. */
const sessionEndMs = 20_000
/** What outlives the server for a moment, its guard, may still say something. */
const lastLineMs = 2_000
/** Whoever waits so long should know what for. */
const explainEndMs = 1_500

/** Runs the command and returns the exit code; never throws, and leaves nothing behind. */
export async function exec(request: ExecRequest): Promise<number> {
  const { reporter } = request
  const run = new Run(request)
  try {
    const code = await run.toEnd()
    reporter.settle()
    return code
  } catch (thrown) {
    reporter.settle()
    if (run.givenUp !== undefined) return signalCode(run.givenUp)
    reporter.report({ event: 'error', error: reportedError(thrown, 'exec') })
    return failedCode
  } finally {
    await run.leave()
    if (run.exitLine !== undefined) reporter.report(run.exitLine)
  }
}

class Run {
  givenUp: NodeJS.Signals | undefined
  /** How the command ended; the last that is told. */
  exitLine: ExecLine | undefined
  private server: ServerProcess | undefined
  private sessionId: string | undefined
  private processId: string | undefined
  private supervisor: ChildProcess | undefined
  private running = false
  private leaving = false
  private prepared: Promise<void> | undefined
  private readonly cancel = new AbortController()
  /** The user does not want to wait until everything has ended. */
  private readonly hurry = new AbortController()
  private readonly processEnd = deferred<ProcessEnd>()
  private readonly supervisorEnd = deferred<SupervisorEnd>()
  /** Never resolves; rejects when the run cannot go on. */
  private readonly broken = deferred<never>()

  constructor(private readonly request: ExecRequest) {
    this.broken.promise.catch(() => {})
    watchSignals({
      commandRuns: () => this.running && !this.leaving,
      giveUp: signal => this.giveUp(signal),
      passOn: signal => void this.passOn(signal),
    })
  }

  async toEnd(): Promise<number> {
    const { reporter, verbose, json } = this.request
    const server = startServer({
      verbose,
      onUserLine: message => reporter.report({ event: 'notice', level: 'error', message }),
      onLogLine: json ? message => reporter.report({ event: 'notice', level: 'log', message }) : undefined,
    })
    this.server = server
    void server.ended.then(() =>
      this.broken.reject(new Failure('server-ended', { what: this.running ? 'exec' : 'startSession' })),
    )
    this.listen(server)
    await this.orBroken(introduce(server, 'standin exec'))
    const started = await this.orBroken(
      server.connection.request(
        startSession,
        { ...this.request.session, workDoneToken: attachToken },
        { signal: this.cancel.signal },
      ),
    )
    this.running = true
    const { sessionId, target, hostname, addresses, ports } = started
    reporter.report({ event: 'ready', sessionId, target: target.target, hostname, addresses, ports })
    for (const message of started.warnings) reporter.report({ event: 'notice', level: 'warning', message })
    if (this.request.connections) await this.orBroken(tellConnections(server.connection, sessionId, reporter))
    await this.orBroken(this.prepare(sessionId))
    const end = await this.orBroken(this.commandEnd())
    const code = this.concluded(end)
    this.running = false
    await this.untilLastEnds()
    return code
  }

  /** The supervisor lives as long as the last process that the command left behind, and the session with it; a signal ends them all. */
  private async untilLastEnds(): Promise<void> {
    if ((await quietly(this.supervisorEnd.promise, supervisorEndMs)) !== undefined) return
    const message =
      'the command ended; what it left behind is served until the last of it ends, or Ctrl-C ends it'
    this.request.reporter.report({ event: 'notice', level: 'info', message })
    await this.orBroken(this.supervisorEnd.promise).catch(() => undefined)
  }

  /** Ends the session, the server and, if it is still there, the supervisor; every wait has a deadline. */
  async leave(): Promise<void> {
    const { server, sessionId } = this
    this.leaving = true
    const explain = setTimeout(() => {
      const message = 'ending the session; Ctrl-C leaves the rest of it to end by itself'
      this.request.reporter.report({ event: 'notice', level: 'info', message })
    }, explainEndMs)
    const options = { ms: sessionEndMs, hurry: this.hurry.signal }
    if (server !== undefined && sessionId !== undefined)
      await waitPatiently(server.connection, server.connection.request(stopSession, { sessionId }), options)
    await server?.stop(this.hurry.signal)
    clearTimeout(explain)
    await this.leaveSupervisor()
    // Whoever is in a hurry has left the server to end by itself.
    if (server !== undefined && !this.hurry.signal.aborted) await quietly(server.silent, lastLineMs)
  }

  private async leaveSupervisor(): Promise<void> {
    if (this.supervisor === undefined) return
    await quietly(this.supervisorEnd.promise, orphanMs)
    if (this.supervisor.exitCode === null && this.supervisor.signalCode === null)
      this.supervisor.kill('SIGKILL')
  }

  private listen({ connection }: ServerProcess): void {
    const { reporter } = this.request
    reportSteps(connection, reporter)
    connection.on(sessionStatus, ({ sessionId, state, reason, attempt }) => {
      this.sessionId ??= sessionId
      if (this.leaving) return // it stops because we asked
      reporter.report({ event: 'session', sessionId, state, reason, attempt })
      // The answer to startSession may be read later than the command reads Ctrl-C.
      if (state === 'running') this.running = true
      // The supervisor warms up while the session attaches, and starts the command by itself when the session runs, which may be before its connections are looked at.
      if (state === 'starting' && !this.request.connections)
        this.prepare(sessionId).catch(thrown => this.broken.reject(thrown))
    })
    connection.on(processExit, ({ processId, ...end }) => {
      if (this.processId === undefined || processId === this.processId) this.processEnd.resolve(end)
    })
    for (const message of [showMessage, logMessage])
      connection.on(message, ({ type, message: text }) => {
        const level = message === logMessage ? 'log' : levels[type]
        reporter.report({ event: 'notice', level, message: text })
      })
  }

  /** Starts the supervisor in this terminal, once. */
  private prepare(sessionId: string): Promise<void> {
    this.prepared ??= this.startSupervisor(sessionId)
    return this.prepared
  }

  private async startSupervisor(sessionId: string): Promise<void> {
    const { connection } = this.server!
    const { command } = this.request
    const { processId, argv, environment } = await connection.request(
      prepareLaunch,
      { sessionId, command, shims: [] },
      { signal: this.cancel.signal },
    )
    this.processId = processId
    if (this.leaving) return
    const [program, ...args] = argv
    if (program === undefined)
      throw new Failure('hook-failed', { command: command[0]!, reason: 'empty argv' })
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...environment } })
    this.supervisor = child
    child.once('exit', (code, signal) => this.supervisorEnd.resolve({ code, signal }))
    child.once('error', cause => {
      this.supervisorEnd.resolve({ code: failedCode, signal: null })
      this.broken.reject(new Failure('hook-failed', { command: command[0]!, reason: cause.message }))
    })
  }

  /** The server's word and the supervisor's end: whichever comes first waits a little for the other where the other matters. */
  private async commandEnd(): Promise<{ end?: ProcessEnd; supervisor?: SupervisorEnd }> {
    const first = await Promise.race([
      this.processEnd.promise.then(end => ({ end })),
      this.supervisorEnd.promise.then(supervisor => ({ supervisor })),
    ])
    if ('supervisor' in first) {
      // A supervisor that was killed leaves a command that the server serves on: its end is told when it comes.
      const killed = first.supervisor.signal !== null
      const end = killed ? await this.processEnd.promise : await quietly(this.processEnd.promise)
      return end === undefined ? first : { ...first, end }
    }
    if (first.end.failure === undefined) return first
    const supervisor = await quietly(this.supervisorEnd.promise)
    return supervisor === undefined ? first : { ...first, supervisor }
  }

  private concluded({ end, supervisor }: { end?: ProcessEnd; supervisor?: SupervisorEnd }): number {
    const code = exitCode(end, supervisor)
    const { reporter, command } = this.request
    const { signal, failure } = end ?? {}
    if (failure !== undefined)
      reporter.report({ event: 'error', error: endError(failure, code, command[0]!) })
    this.exitLine = { event: 'exit', exitCode: code, ...(signal === undefined ? {} : { signal }) }
    return code
  }

  private giveUp(signal: NodeJS.Signals): void {
    if (this.leaving) {
      this.hurry.abort()
      return
    }
    this.givenUp ??= signal
    this.cancel.abort()
    this.broken.reject(new Failure('cancelled', { what: 'exec' }))
    const { server, processId } = this
    if (server !== undefined && processId !== undefined && this.running)
      void quietly(server.connection.request(signalProcess, { processId, signal: 'SIGKILL' }))
  }

  private async passOn(signal: NodeJS.Signals): Promise<void> {
    const { server, processId } = this
    if (server === undefined || processId === undefined) return this.giveUp(signal)
    // A refusal means that the command has just ended, which is about to be told.
    await server.connection.request(signalProcess, { processId, signal }).catch(() => {})
  }

  private orBroken<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.broken.promise])
  }
}

/** The sentence of process/exit with the fix that belongs to its code. */
function endError(message: string, code: number, command: string): ReportedError {
  const kind = { 126: 'command-not-executable', 127: 'command-not-found' }[code] ?? 'hook-failed'
  return { ...reportedError(new Failure(kind as ErrorKind, { command }), 'exec'), message }
}

/** The promise's value if it comes in time, else undefined. */
async function quietly<T>(work: Promise<T>, ms = lastWordMs): Promise<T | undefined> {
  return withDeadline(work, ms, () => new Error('not in time')).catch(() => undefined)
}

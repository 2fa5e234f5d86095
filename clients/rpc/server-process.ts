// Starts a server of our own for one client, and ends it again without ever waiting for long.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Failure } from '../../protocol/errors.ts'
import { programPath } from '../../protocol/programs.ts'
import { exit, initialize, initialized, shutdown } from '../../protocol/rpc/lifecycle.ts'
import { version } from '../../protocol/version.ts'
import { type Connection, connect } from './connection.ts'
import { withDeadline } from './deadline.ts'
import { waitPatiently } from './patience.ts'

export type ServerProcess = {
  readonly connection: Connection
  /** Resolves when the server is gone, however it ended. */
  readonly ended: Promise<void>
  /** Resolves when nothing more can come on the server's standard error: whoever outlives it, as its guard may, has ended too. */
  readonly silent: Promise<void>
  /**
   * shutdown and exit: waited for as long as the server answers, then SIGKILL (its guard and agents see it go). When `hurry` is aborted, it is
   * left alone to end what it started: it sees that its client is gone.
   */
  stop(hurry?: AbortSignal): Promise<void>
}

const initializeMs = 15_000
/** Longer than the server gives its sessions to end, each of which may have to ask a slow cluster. */
const shutdownMs = 20_000
const exitMs = 2_000
/** How a line begins that is for the user and not for the log. */
const userLine = 'standin: '

/**
 * Starts `standin serve --stdio` in a session of its own, so that the terminal's Ctrl-C and Ctrl-Z do not reach it.
 * `onUserLine` gets what it, or the guard that outlives it, says to the user outside of the protocol. With `verbose` its log is wanted too:
 * by `onLogLine`, or as it is on our standard error.
 */
export function startServer(options: {
  verbose: boolean
  onUserLine(sentence: string): void
  onLogLine?: ((line: string) => void) | undefined
}): ServerProcess {
  const { verbose, onUserLine, onLogLine } = options
  const log = verbose ? 'debug' : 'error'
  const child = spawn(
    process.execPath,
    [programPath('standin'), 'serve', '--stdio', `--clientProcessId=${process.pid}`, `--log-level=${log}`],
    { stdio: ['pipe', 'pipe', verbose && onLogLine === undefined ? 'inherit' : 'pipe'], detached: true },
  )
  const ended = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on('line', line => {
      if (line.startsWith(userLine)) onUserLine(line.slice(userLine.length))
      else if (verbose) onLogLine?.(line)
    })
  const silent = new Promise<void>(resolve => child.once('close', () => resolve()))
  const connection = connect(child.stdout!, child.stdin!)
  return { connection, ended, silent, stop: hurry => stop({ child, connection, ended, hurry }) }
}

/** The first words with a server: who we are. */
export async function introduce({ connection }: ServerProcess, clientName: string): Promise<void> {
  const answer = connection.request(initialize, {
    processId: process.pid,
    clientInfo: { name: clientName, version },
  })
  await withDeadline(
    answer,
    initializeMs,
    () => new Failure('server-silent', { what: 'initialize', seconds: initializeMs / 1000 }),
  )
  await connection.notify(initialized, {})
}

async function stop(server: {
  child: ChildProcess
  connection: Connection
  ended: Promise<void>
  hurry: AbortSignal | undefined
}): Promise<void> {
  const { child, connection, ended, hurry } = server
  const over = () => child.exitCode !== null || child.signalCode !== null
  const waited = await waitPatiently(connection, connection.request(shutdown, {}), { ms: shutdownMs, hurry })
  await connection.notify(exit, {})
  child.stdin?.end()
  if (waited === 'hurried') return
  if (waited === 'ended') await orDeadline(ended)
  if (!over()) child.kill('SIGKILL')
  await orDeadline(ended)
}

async function orDeadline(work: Promise<unknown>): Promise<void> {
  await withDeadline(work, exitMs, () => new Error('not in time')).catch(() => {})
}

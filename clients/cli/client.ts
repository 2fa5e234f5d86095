// What the commands that only ask have in common: a server for the length of one piece of work, and Ctrl-C that cancels it.
import { logMessage, showMessage } from '../../protocol/rpc/lifecycle.ts'
import type { Connection } from '../rpc/connection.ts'
import { reportedError } from '../rpc/reported-error.ts'
import { introduce, startServer } from '../rpc/server-process.ts'
import { signalCode } from './exit-code.ts'
import type { Reporter } from './report.ts'
import { levels, type TellLine, tell } from './tell.ts'

export type AskOptions = {
  what: string
  verbose: boolean
  json: boolean
  quiet?: boolean
  /** Tells notices and the error in its own form, around what it has drawn; without it they go to standard error as they are. */
  reporter?: Reporter
}

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs `work` against a server of its own and returns its exit code, or 1 after telling the error. A signal aborts what `work` gets, and
 * gives 128 + its number if the work then fails; the second signal leaves the server to end by itself.
 */
export async function ask(
  options: AskOptions,
  work: (connection: Connection, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const cancel = new AbortController()
  const hurry = new AbortController()
  let ended: NodeJS.Signals | undefined
  for (const signal of endSignals)
    process.on(signal, () => {
      if (ended !== undefined) hurry.abort()
      ended ??= signal
      cancel.abort()
    })
  const say = (line: TellLine) => (options.reporter ? options.reporter.report(line) : tell(line, options))
  const server = startServer({
    verbose: options.verbose,
    onUserLine: message => say({ event: 'notice', level: 'error', message }),
    // A script's standard error holds nothing but objects.
    onLogLine: options.json ? message => say({ event: 'notice', level: 'log', message }) : undefined,
  })
  server.connection.on(showMessage, ({ type, message }) => {
    if (!options.quiet) say({ event: 'notice', level: levels[type], message })
  })
  server.connection.on(logMessage, ({ message }) => {
    if (options.verbose) say({ event: 'notice', level: 'log', message })
  })
  try {
    await introduce(server, `standin ${options.what}`)
    return await work(server.connection, cancel.signal)
  } catch (thrown) {
    options.reporter?.settle()
    if (ended !== undefined) return signalCode(ended)
    say({ event: 'error', error: reportedError(thrown, options.what) })
    return 1
  } finally {
    await server.stop(hurry.signal)
  }
}

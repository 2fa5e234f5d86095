// What the commands that only ask have in common: a server for the length of one piece of work.
import { logMessage, showMessage } from '../../protocol/rpc/lifecycle.ts'
import type { Connection } from '../rpc/connection.ts'
import { reportedError } from '../rpc/reported-error.ts'
import { introduce, startServer } from '../rpc/server-process.ts'
import { levels, tell } from './tell.ts'

export type AskOptions = { what: string; verbose: boolean; json: boolean; quiet?: boolean }

/** Runs `work` against a server of its own and returns its exit code, or 1 after telling the error. */
export async function ask(
  options: AskOptions,
  work: (connection: Connection) => Promise<number>,
): Promise<number> {
  const server = startServer({ verbose: options.verbose })
  server.connection.on(showMessage, ({ type, message }) => {
    if (!options.quiet) tell({ event: 'notice', level: levels[type], message }, options)
  })
  server.connection.on(logMessage, ({ message }) => {
    if (options.verbose) tell({ event: 'notice', level: 'log', message }, options)
  })
  try {
    await introduce(server, `standin ${options.what}`)
    return await work(server.connection)
  } catch (thrown) {
    tell({ event: 'error', error: reportedError(thrown, options.what) }, options)
    return 1
  } finally {
    await server.stop()
  }
}

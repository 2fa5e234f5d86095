// What the commands that only ask have in common: a server for the length of one piece of work.
import { logMessage, showMessage } from '../../protocol/rpc/lifecycle.ts'
import type { Connection } from '../rpc/connection.ts'
import { type ReportedError, reportedError } from '../rpc/reported-error.ts'
import { introduce, startServer } from '../rpc/server-process.ts'
import { errorSentences } from './report.ts'

export type AskOptions = { what: string; verbose: boolean; json: boolean; quiet?: boolean }

/** Runs `work` against a server of its own and returns its exit code, or 1 after telling the error. */
export async function ask(
  options: AskOptions,
  work: (connection: Connection) => Promise<number>,
): Promise<number> {
  const server = startServer({ verbose: options.verbose })
  server.connection.on(showMessage, ({ message }) => {
    if (!options.quiet) process.stderr.write(`standin: ${message}\n`)
  })
  server.connection.on(logMessage, ({ message }) => {
    if (options.verbose) process.stderr.write(`standin: ${message}\n`)
  })
  try {
    await introduce(server, `standin ${options.what}`)
    return await work(server.connection)
  } catch (thrown) {
    tell(reportedError(thrown, options.what), options.json)
    return 1
  } finally {
    await server.stop()
  }
}

function tell(error: ReportedError, json: boolean): void {
  const text = json
    ? `${JSON.stringify({ event: 'error', error })}\n`
    : errorSentences(error)
        .map(sentence => `standin: ${sentence}\n`)
        .join('')
  process.stderr.write(text)
}

// Attaches to a target for a command that has no program of the user's: its steps and warnings are shown, and a wish to stop gives it up.
import type { TypeOf } from 'io-ts'
import { startSession } from '../../protocol/rpc/sessions.ts'
import type { Connection } from '../rpc/connection.ts'
import type { Reporter } from './report.ts'
import { attachToken, reportSteps } from './report-steps.ts'
import { tell } from './tell.ts'

/** The session's id; undefined when it was given up. */
export async function attachUntil(
  signal: AbortSignal,
  connection: Connection,
  params: TypeOf<(typeof startSession)['params']>,
  { reporter, quiet, json }: { reporter: Reporter; quiet: boolean; json: boolean },
): Promise<string | undefined> {
  reportSteps(connection, reporter)
  const attached = connection.request(startSession, { ...params, workDoneToken: attachToken }, { signal })
  const session = await attached.catch(thrown => {
    if (signal.aborted) return undefined
    throw thrown
  })
  reporter.settle()
  for (const message of quiet ? [] : (session?.warnings ?? []))
    tell({ event: 'notice', level: 'warning', message }, { json })
  return session?.sessionId
}

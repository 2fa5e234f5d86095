// Tells the steps of attaching as the server's progress names them.
import { progress } from '../../protocol/rpc/lifecycle.ts'
import type { Connection } from '../rpc/connection.ts'
import type { Reporter } from './report.ts'

/** The workDoneToken of startSession. */
export const attachToken = 'start'

/** Tells each step of startSession, and again when it waits for something else. */
export function reportSteps(connection: Connection, reporter: Reporter): void {
  connection.on(progress, ({ token, value }) => {
    const { kind, step, message, elapsedMs } = value as Record<string, unknown>
    // The title of the beginning says no more than the first step.
    if (token !== attachToken || kind !== 'report' || typeof message !== 'string') return
    const extra = {
      ...(typeof step === 'string' ? { step } : {}),
      ...(typeof elapsedMs === 'number' ? { elapsedMs } : {}),
    }
    reporter.report({ event: 'step', message, ...extra })
  })
}

// The steps of attaching: taken from the server's progress, and which of them are worth a line of their own.
import type { ExecLine } from '../../protocol/cli-output.ts'
import { progress } from '../../protocol/rpc/lifecycle.ts'
import type { Connection } from '../rpc/connection.ts'
import type { Reporter } from './report.ts'

/** The workDoneToken of startSession. */
export const attachToken = 'start'

/** Tells each step of startSession, and again when it waits for something else. */
export function reportSteps(connection: Connection, reporter: Reporter): void {
  connection.on(progress, ({ token, value }) => {
    const { kind, step, message, title, elapsedMs } = value as Record<string, unknown>
    const text = message ?? title
    if (token !== attachToken || kind === 'end' || typeof text !== 'string') return
    const extra = {
      ...(typeof step === 'string' ? { step } : {}),
      ...(typeof elapsedMs === 'number' ? { elapsedMs } : {}),
    }
    reporter.report({ event: 'step', message: text, ...extra })
  })
}

type Step = ExecLine & { event: 'step' }

/** How often a reason that stays is repeated in a plain log. */
const repeatMs = 10_000

/**
 * Remembers what was told, and lets everything pass but a step in the same words. Without `everyChange`, words that differ in their numbers
 * alone ("12 s", "13 s") pass once in 10 s.
 */
export function stepFilter({ everyChange }: { everyChange: boolean }): (line: ExecLine) => boolean {
  let last: Step | undefined
  return line => {
    if (line.event !== 'step') return true
    const isNews = last === undefined || differs(last, line, everyChange)
    if (isNews) last = line
    return isNews
  }
}

function differs(last: Step, line: Step, everyChange: boolean): boolean {
  if (last.step !== line.step) return true
  if (everyChange || words(last.message) !== words(line.message)) return last.message !== line.message
  const passedMs = (line.elapsedMs ?? 0) - (last.elapsedMs ?? 0)
  return last.message !== line.message && passedMs >= repeatMs
}

function words(text: string): string {
  return text.replace(/\d+(\.\d+)?/g, '#')
}

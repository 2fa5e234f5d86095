// Attaches again after an agent was lost, with growing pauses, until the grace time is over.
import { setTimeout as pause } from 'node:timers/promises'
import { asFailure, Failure } from '../../protocol/errors.ts'
import { type Attachment, graceMs } from './attachment.ts'

const firstPauseMs = 200
const longestPauseMs = 5_000

type Outcome = { attachment: Attachment; failure?: undefined } | { failure: Failure }

/** Gives up at once when another attempt would fail the same way: the target has ended, or a right is missing. */
export async function reattach(options: {
  signal: AbortSignal
  attach(): Promise<Attachment>
  onAttempt(attempt: number): void
}): Promise<Outcome> {
  const untilMs = performance.now() + graceMs
  let failure = new Failure('agent-failed', { reason: 'it ended' })
  for (let attempt = 1, pauseMs = firstPauseMs; performance.now() < untilMs; attempt++, pauseMs *= 2) {
    options.onAttempt(attempt)
    try {
      return { attachment: await options.attach() }
    } catch (thrown) {
      failure = asFailure(thrown, 'attaching again')
    }
    const hopeless =
      failure.kind === 'target-ended' || (!failure.data.retryable && failure.kind !== 'internal')
    if (hopeless || options.signal.aborted) break
    await pause(Math.min(pauseMs, longestPauseMs), undefined, { signal: options.signal }).catch(() => {})
  }
  return { failure }
}

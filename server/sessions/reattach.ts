// Attaches again after an agent was lost or its pod was replaced, with growing pauses, until the time for it is over.
import { setTimeout as pause } from 'node:timers/promises'
import { asFailure, Failure } from '../../protocol/errors.ts'
import { type Attachment, graceMs } from './attachment.ts'

/** A process that ended does not come back; a rollout may take its time until the next pod is ready. */
export const reattachMs = { once: graceMs, again: 600_000 } as const

const firstPauseMs = 200
const longestPauseMs = 5_000

type Outcome = { attachment: Attachment; failure?: undefined } | { attachment?: undefined; failure: Failure }

/** An API server that has just begun does not know yet who may do what, and refuses those whom it will serve. */
const warmUpMs = 30_000

/** Gives up at once when another attempt would fail the same way: the target has ended, or a right stays missing. */
export async function reattach(options: {
  signal: AbortSignal
  attach(): Promise<Attachment>
  onAttempt(attempt: number): void
  forMs: number
}): Promise<Outcome> {
  const untilMs = performance.now() + options.forMs
  let failure = new Failure('agent-failed', { reason: 'it ended' })
  let refusedSinceMs: number | undefined
  for (let attempt = 1, pauseMs = firstPauseMs; performance.now() < untilMs; attempt++, pauseMs *= 2) {
    options.onAttempt(attempt)
    try {
      return { attachment: await options.attach() }
    } catch (thrown) {
      failure = asFailure(thrown, 'attaching again')
    }
    refusedSinceMs = isOfPerson(failure) ? (refusedSinceMs ?? performance.now()) : undefined
    const mayPass = refusedSinceMs !== undefined && performance.now() - refusedSinceMs < warmUpMs
    if ((isHopeless(failure) && !mayPass) || options.signal.aborted) break
    await pause(Math.min(pauseMs, longestPauseMs), undefined, { signal: options.signal }).catch(() => {})
  }
  return { failure }
}

function isHopeless({ kind, data }: Failure): boolean {
  return kind === 'target-ended' || (!data.retryable && kind !== 'internal')
}

/** The cluster did not let us by for who we are. */
function isOfPerson({ kind }: Failure): boolean {
  return kind === 'cluster-forbidden' || kind === 'cluster-unauthorized'
}

/** How the session ends when nothing can be attached any more: that the target ended or was deleted is no failure. */
export function endingOf({ kind, values, message }: Failure): {
  state: 'stopped' | 'failed'
  reason: string
} {
  switch (kind) {
    case 'target-ended':
      return { state: 'stopped', reason: "the target's process ended" }
    case 'target-gone':
      return { state: 'stopped', reason: `${values.target} no longer exists` }
    case 'namespace-not-found':
      return { state: 'stopped', reason: `namespace "${values.namespace}" no longer exists` }
    default:
      return { state: 'failed', reason: message }
  }
}

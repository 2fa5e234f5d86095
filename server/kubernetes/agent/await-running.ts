// Waits until an agent's container runs, telling why it does not yet, with an end that names the cause.
import { Failure } from '../../../protocol/errors.ts'
import { orAborted } from '../../deadline.ts'
import type { Narrator } from '../../targets/narrate.ts'
import { explain, tooSlow } from './explain.ts'
import type { Follow } from './follow.ts'
import type { Circumstances, Explanation } from './sight.ts'

/** How often the narrator may count the seconds. */
const lookMs = 1_000

export type Running = {
  follow: Follow
  about: Circumstances
  narrator: Narrator
  /** By performance.now. */
  deadlineMs: number
  timeoutSeconds: number
  signal: AbortSignal
  /** What else ends the waiting: the target is gone. */
  hindrance(): Failure | undefined
  /** While there is no pod: throws when the Job is not there any more. */
  checkJob?: () => Promise<void>
}

/** Resolves when it runs. Rejects with what hinders it for good, with what it waits for at the deadline, or with the signal's reason. */
export async function awaitRunning(running: Running): Promise<void> {
  const { follow, signal, deadlineMs } = running
  for (;;) {
    signal.throwIfAborted()
    const explanation = look(running)
    if (explanation.step === 'deliver') return
    if (performance.now() >= deadlineMs) throw tooSlow(explanation, running.timeoutSeconds)
    running.narrator.tell(explanation.step, explanation.message)
    if (explanation.step === 'job') await running.checkJob?.()
    await orAborted(follow.changed(Math.min(lookMs, Math.max(1, deadlineMs - performance.now()))), signal)
  }
}

/** Throws what hinders it for good. */
export function look({
  follow,
  about,
  hindrance,
}: Pick<Running, 'follow' | 'about' | 'hindrance'>): Explanation {
  const explanation = explain(follow.sight, about)
  if (explanation.failure !== undefined) throw explanation.failure
  const hindered = hindrance()
  if (hindered !== undefined) throw hindered
  if (follow.goneReason !== undefined && !about.ephemeral)
    throw new Failure('agent-removed', { what: "the agent's pod", namespace: about.namespace })
  if (follow.failure !== undefined) throw follow.failure
  return explanation
}

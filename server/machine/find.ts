// Finds a process or a container of this machine, and brings an agent to it.
import type { Log } from '../log.ts'
import type { Found } from '../targets/found.ts'
import { startAgent } from './agent.ts'
import { type Resolved, resolveTarget } from './targets.ts'

/** Throws what `agent resolve` fails with: `target-invalid`, `-not-found`, `-ambiguous`, `-unreadable`, `-ended`, `runtime-failed`. */
export async function findOnMachine(
  target: string,
  question: { signal: AbortSignal; log: Log },
): Promise<Found> {
  return foundOnMachine(await resolveTarget(target, question))
}

function foundOnMachine(resolved: Resolved): Found {
  const found: Found = {
    target: resolved.target,
    where: `pid ${resolved.pid}`,
    notices: [],
    lives: 'once',
    startAgent: options => startAgent(resolved, options),
    async again(signal) {
      signal.throwIfAborted()
      return found
    },
  }
  return found
}

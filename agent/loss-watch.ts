// Tells the server of what the capture loses: the counters, when one of those that count a loss has grown, at most once a second.
import type { AgentEvent, CaptureCounters } from '../protocol/agent/control.ts'
import { log } from './log.ts'

const lookEveryMs = 1_000
const losses = ['ringDrops', 'gaps', 'slow', 'unopened'] as const

/** Ends with the agent. */
export function watchLosses(options: {
  counters(): Promise<CaptureCounters>
  tell(event: AgentEvent): void
}): NodeJS.Timeout {
  let told = 0
  const look = async () => {
    const counters = await options.counters()
    const lost = losses.reduce((sum, name) => sum + counters[name], 0)
    if (lost === told) return
    told = lost
    options.tell({ event: 'counters', counters })
  }
  return setInterval(
    () => void look().catch(thrown => log(`the counters could not be read: ${String(thrown)}`)),
    lookEveryMs,
  )
}

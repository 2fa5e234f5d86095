// Sends the server an event over the link.
import type { AgentEvent } from '../../protocol/agent/control.ts'
import { log } from '../log.ts'
import type { Listener } from './listen.ts'

/** An event that the link can't take any more is one that the server no longer needs: it is then about to make another agent. */
export function sendEvent(listener: Listener, event: AgentEvent): void {
  try {
    listener.endpoint.control(event)
  } catch (error) {
    log(`an event could not be sent: ${String(error)}`)
  }
}

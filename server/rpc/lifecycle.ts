// Which messages are accepted at which point of a connection's life, as the Language Server Protocol 3.17 rules it ("Server lifecycle").
import { Failure } from '../../protocol/errors.ts'

/** `initializing` lasts from the request to its answer. */
export type Phase = 'fresh' | 'initializing' | 'running' | 'shutdown'

/** Why a request is refused in this phase; undefined when it may be handled. */
export function refuseRequest(phase: Phase, method: string): Failure | undefined {
  if (phase === 'shutdown') {
    return new Failure('request-invalid', { reason: 'after shutdown only exit is accepted' })
  }
  if (method === 'initialize') {
    return phase === 'fresh'
      ? undefined
      : new Failure('request-invalid', { reason: 'initialize was sent twice' })
  }
  return phase === 'running' ? undefined : new Failure('not-initialized', { method })
}

/** Notifications cannot be refused with an answer: out of their time they are dropped, except `exit` and cancellation. */
export function acceptNotification(phase: Phase, method: string): boolean {
  return method === 'exit' || method === '$/cancelRequest' || phase === 'running'
}

/** Exit code 0 only after shutdown. */
export function exitCode(phase: Phase): number {
  return phase === 'shutdown' ? 0 : 1
}

// What commands that last until Ctrl-C wait for: a wish to stop, or the end of their session.
import { type Session, sessionStatus } from '../../protocol/rpc/sessions.ts'
import type { Connection } from '../rpc/connection.ts'
import { deferred } from '../rpc/deferred.ts'

/** Ctrl-C, SIGTERM, SIGHUP, or a reader of our output that went away. */
export function stopRequests(): { signal: AbortSignal; asked: Promise<void> } {
  const controller = new AbortController()
  const asked = deferred<void>()
  const stop = () => {
    controller.abort()
    asked.resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  process.stdout.on('error', stop)
  return { signal: controller.signal, asked: asked.promise }
}

/** Why the session ended by itself; `onStatus` hears of each state. */
export function sessionEnd(
  connection: Connection,
  onStatus: (status: Session) => void = () => {},
): Promise<string> {
  const ended = deferred<string>()
  connection.on(sessionStatus, status => {
    const { state, reason, target } = status
    onStatus(status)
    if (state === 'stopped' || state === 'failed')
      ended.resolve(
        `the session with ${target} ${state === 'failed' ? 'failed' : 'ended'}: ${reason ?? 'no reason given'}`,
      )
  })
  return ended.promise
}

// Waiting for a server that has much to end: as long as it shows that it lives, and not for ever.
import { Failure } from '../../protocol/errors.ts'
import { listSessions } from '../../protocol/rpc/sessions.ts'
import type { Connection } from './connection.ts'
import { withDeadline } from './deadline.ts'

/** How it went: the work has ended (well or badly), the server says nothing more, or whoever waits is in a hurry. */
export type Waited = 'ended' | 'silent' | 'late' | 'hurried'

const lookMs = 1_000
/** A server that answers a question which costs it nothing later than this hangs. */
const silenceMs = 2_000

/** Waits for `work`, at most `ms` milliseconds; asks the server every second whether it lives. */
export async function waitPatiently(
  connection: Connection,
  work: Promise<unknown>,
  { ms, hurry }: { ms: number; hurry?: AbortSignal | undefined },
): Promise<Waited> {
  const ended = work.then(
    () => 'ended' as const,
    () => 'ended' as const,
  )
  const hurried = new Promise<Waited>(resolve => {
    if (hurry?.aborted) resolve('hurried')
    hurry?.addEventListener('abort', () => resolve('hurried'), { once: true })
  })
  for (const deadline = performance.now() + ms; performance.now() < deadline; ) {
    const first = await Promise.race([ended, hurried, within(lookMs)])
    if (first !== undefined) return first
    const alive = await Promise.race([ended, hurried, lives(connection)])
    if (alive === false) return 'silent'
    if (alive !== true) return alive
  }
  return 'late'
}

/** Any answer will do: after shutdown it is a refusal. */
async function lives(connection: Connection): Promise<boolean> {
  const answer = connection.request(listSessions, {}).then(
    () => true,
    thrown => !(thrown instanceof Failure && thrown.kind === 'server-ended'),
  )
  return withDeadline(answer, silenceMs, () => new Error('silent')).catch(() => false)
}

function within(ms: number): Promise<undefined> {
  return new Promise(resolve => setTimeout(() => resolve(undefined), ms))
}

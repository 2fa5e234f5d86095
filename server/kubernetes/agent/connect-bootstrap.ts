// Connects to the bootstrap in an agent's container, which listens a moment after its container runs.
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '../../../protocol/errors.ts'
import { orAborted } from '../../deadline.ts'
import { portForward } from '../channel/port-forward.ts'
import type { Api } from '../client/api.ts'

export type Address = { namespace: string; pod: string; port: number }

/** Node.js takes this long to start listening, at most about a second on a busy node. */
const firstPauseMs = 50
const longestPauseMs = 2_000
const triesOfOnePause = 8

/** How long to wait after a try, counted from 1: often while the container starts, seldom when something else is wrong. */
export function pauseAfter(attempt: number): number {
  return Math.min(firstPauseMs * 2 ** Math.floor((attempt - 1) / triesOfOnePause), longestPauseMs)
}

/**
 * A connection on which the bootstrap has begun to speak. `onRefused` is told why each try failed, and may throw what is known better.
 * Rejects with a failure that no other try would heal, or with the signal's reason.
 */
export async function connectBootstrap(
  api: Api,
  address: Address,
  { signal, onRefused }: { signal: AbortSignal; onRefused(reason: string): void },
): Promise<Duplex> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryConnect(api, address, signal)
    signal.throwIfAborted()
    if (!(outcome instanceof Failure)) return outcome
    if (outcome.kind !== 'channel-failed' && outcome.kind !== 'cluster-refused') throw outcome
    onRefused(reasonOf(outcome))
    await pause(pauseAfter(attempt), undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

function reasonOf({ kind, values, message }: Failure): string {
  return kind === 'channel-failed' ? String(values.reason) : message
}

async function tryConnect(api: Api, address: Address, signal: AbortSignal): Promise<Duplex | Failure> {
  let connection: Duplex | undefined
  try {
    connection = await portForward(api, { ...address, signal })
    await orAborted(readable(connection), signal)
    return connection
  } catch (thrown) {
    connection?.destroy()
    if (thrown instanceof Failure) return thrown
    throw thrown
  }
}

function readable(connection: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (error?: Error) => {
      finish()
      const reason = 'the connection closed before the bootstrap spoke'
      reject(error ?? new Failure('channel-failed', { verb: 'forward a port of', pod: 'the agent', reason }))
    }
    const ready = () => {
      // It is emitted for the end of the stream too.
      if (connection.readableLength === 0) return over()
      finish()
      resolve()
    }
    const ended = () => over()
    const finish = () => connection.off('readable', ready).off('close', ended).off('error', over)
    connection.on('readable', ready).on('close', ended).on('error', over)
  })
}

// What the agent's main thread tells the capture thread, and what it hears beside the batches.
import type { Batch } from './batch.ts'
import type { Subscription } from './subscription.ts'

/** Given when the thread starts. Descriptors are the process's, and the main thread closes them. */
export type CaptureStart = {
  socketFd: number
  wakerFd: number
  blocks: number
  prefix: string
  /** The Credit of batch.ts. */
  credit: SharedArrayBuffer
  /** Doubles, written by the thread alone: see `counterNames`. */
  counters: SharedArrayBuffer
}

export const counterNames = ['packets', 'bytes', 'connections', 'gaps', 'ringDrops', 'unopened'] as const

/** Each is answered by `done` with its id. The waker must be called after one is posted. */
export type CaptureOrder =
  | { id: number; order: 'subscribe'; subscription: Subscription }
  | { id: number; order: 'close' }

export type CaptureWord = { batch: Batch } | { done: number }

// The passive copy of what callers and pod say to each other: from the capture ring to ordered streams.
import type { CaptureCounters, Opened } from '../../protocol/agent/control.ts'

/** Takes one direction of one connection, in order. After `end` or `reset` nothing follows. `timeMs`: milliseconds since the Unix epoch. */
export type StreamWriter = {
  data(bytes: Buffer, timeMs: number): void
  /** Bytes that passed and were not captured on purpose (answers mode "heads"). */
  skipped(bytes: number, timeMs: number): void
  end(): void
  reset(reason: string): void
}

export type MirrorOptions = {
  /** A direction of a connection begins. `onTooSlow` is to be called by the writer's owner when it gives the copy up. */
  openStream(opened: Opened): StreamWriter
  onNotice(text: string): void
}

export type Subscription = {
  ports: readonly number[]
  answers: 'none' | 'heads' | 'all'
  /** Capture on loopback alone: a mesh sidecar stands before the program, and only what it passes on is readable. */
  loopbackOnly: boolean
}

/** Opens nothing until `subscribe` names a port. Must be made by a thread that is in the target's network namespace. */
export type Mirror = {
  /** Replaces the subscription; resolves when the capture is in force. Connections of ports that stay live on. */
  subscribe(subscription: Subscription): Promise<void>
  counters(): Promise<Omit<CaptureCounters, 'slow'>>
  close(): Promise<void>
}

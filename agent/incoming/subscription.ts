// What a capture is asked for, and where it puts what it finds.
import type { Opened } from '../../protocol/agent/control.ts'

/** Takes one direction of one connection, in order. After `end` or `reset` nothing follows. `timeMs`: milliseconds since the Unix epoch. */
export type StreamWriter = {
  data(bytes: Buffer, timeMs: number): void
  /** Bytes that passed and were not captured on purpose (answers mode "heads"). */
  skipped(bytes: number, timeMs: number): void
  end(): void
  reset(reason: string): void
}

export type MirrorOptions = {
  /** A direction of a connection begins. The writer keeps what it is given or leaves it; nothing waits for it. */
  openStream(opened: Opened): StreamWriter
  onNotice(text: string): void
}

export type Subscription = {
  ports: readonly number[]
  answers: 'none' | 'heads' | 'all'
  /** Capture on loopback alone: a mesh sidecar stands before the program, and only what it passes on is readable. */
  loopbackOnly: boolean
  /**
   * Only what is to or from these addresses, loopback aside. For a network namespace that passes on what is for others: a node's, whose pods
   * use the same ports. Without it every address is taken for the target's own.
   */
  localTo?: readonly string[]
}

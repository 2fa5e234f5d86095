// A stream of the link as its users see it: what they write, what they are told, and how they hold the other end back.

/** What a data frame brought: `timeMs` is the time of capture, `skipped` the bytes that passed after `bytes` and were not captured on purpose. */
export type StreamData = { bytes: Buffer; timeMs?: number; skipped?: number }

export type StreamEvents = {
  data(data: StreamData): void
  end(): void
  /** Nothing follows. Called for a reset by the other end and for the endpoint's `close`, never for one's own `reset`. */
  reset(reason: string): void
  /** Everything that was written has been handed to the link. */
  drain?(): void
}

/**
 * A stream of the link. The opener's and the other end's are alike; each direction has its own credit and its own end. It is forgotten
 * when both directions have ended, or at a reset. The functions of `events` are never called inside a call of this stream, and must not throw.
 */
export type LinkStream = {
  readonly id: number
  /** Bytes that were written and wait for credit or for the link. */
  readonly queuedBytes: number
  /** Where what arrives goes; until it is set, arriving data waits (within the credit). Data must be granted back with `grant`. */
  events: StreamEvents | undefined
  /** Queues data; while they count as `queuedBytes` the bytes must not be changed. Throws `stream-ended` after one's own `end`; does nothing after a reset. */
  write(data: StreamData): void
  /** No more data in this direction; again, or after a reset, it does nothing. */
  end(): void
  /** Ends both directions, drops what is queued, and tells the other end why. */
  reset(reason: string): void
  /** The reader has consumed so many bytes: the other end may send as many more. */
  grant(bytes: number): void
}

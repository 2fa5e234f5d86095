// Where the readers of a session's connections put what they saw, and what they need to know of the views.
import type { SeenEvent } from './view.ts'

export type Sink = {
  /** Whether anybody looks at this connection. */
  readonly viewing: boolean
  /** Bytes of each body that some view wants. */
  readonly bodyBytes: number
  /** Milliseconds since the Unix epoch, by the server's own clock. */
  clock(): number
  show(event: SeenEvent): void
  /**
   * Shows a message once: when its end was seen or is known not to come, or after a while, so that a stream of server-sent events is
   * seen before it ends.
   */
  unfinished(show: (whole: boolean) => void): Unfinished
}

/** A message that is being read; the first of these two calls shows it. */
export type Unfinished = { whole(): void; early(): void }

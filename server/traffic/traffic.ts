// The live views of one session: what callers sent, what pod and process answered, as events under credit.
import type { Opened } from '../../protocol/agent/control.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'

export type TrafficNeeds = { answers: 'none' | 'heads' | 'all'; viewing: boolean }

/** One direction of one connection as a view sees it; times in milliseconds since the Unix epoch. */
export type TrafficTap = {
  data(bytes: Buffer, timeMs: number): void
  skipped(bytes: number, timeMs: number): void
  end(timeMs: number): void
  reset(reason: string, timeMs: number): void
}

export type TrafficView = {
  /** Lets `events` more be sent. */
  grant(events: number): void
  /** Ends the view; returns the events lost since the last batch. */
  stop(): number
}

export type Traffic = {
  readonly needs: TrafficNeeds
  /** Called when `needs` changed, so that the session can subscribe to more or less at the agent. */
  onNeedsChanged: (() => void) | undefined
  addView(options: {
    credit: number
    ports?: readonly number[]
    bodyBytes: number
    send(batch: { events: TrafficEvent[]; dropped: number }): void
  }): TrafficView
  /** Taps of a connection: what the caller sent, what the pod answered, what the process answered. */
  connection(opened: Opened): { received: TrafficTap; sent: TrafficTap; process: TrafficTap }
  close(): void
}

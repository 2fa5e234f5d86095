// The receiving half of a stream: the window that was granted, and what waits until somebody listens.

import { initialCreditBytes } from './frame.ts'
import type { StreamData, StreamEvents } from './link-stream.ts'

type Arrival =
  | { kind: 'data'; data: StreamData; prefixBytes: number }
  | { kind: 'end' }
  | { kind: 'reset'; reason: string }

/** A grant is told to the other end once it is worth a frame; the sender's window never falls under three quarters because of it. */
const grantBytes = initialCreditBytes / 4

export class ReceiveHalf {
  /** Called when there is a grant to tell. */
  readonly #onGrant: () => void
  #events: StreamEvents | undefined
  #waiting: Arrival[] = []
  #flushScheduled = false
  /** What the other end may still send, and what has been consumed and not been told. */
  #windowBytes = initialCreditBytes
  #consumedBytes = 0
  #ended = false

  constructor(onGrant: () => void) {
    this.#onGrant = onGrant
  }

  get ended(): boolean {
    return this.#ended
  }

  get events(): StreamEvents | undefined {
    return this.#events
  }

  set events(events: StreamEvents | undefined) {
    this.#events = events
    this.#scheduleFlush()
  }

  /** Takes data; false when it is more than was granted, or comes after the end. The prefix of a frame costs credit too. */
  data(data: StreamData, prefixBytes: number): boolean {
    this.#windowBytes -= prefixBytes + data.bytes.length
    if (this.#ended || this.#windowBytes < 0) return false
    this.#arrive({ kind: 'data', data, prefixBytes })
    return true
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#arrive({ kind: 'end' })
  }

  /** Ends the half without telling the reader: it was never to be used, or its owner reset the stream. */
  drop(): void {
    this.#ended = true
    this.#waiting = []
  }

  reset(reason: string): void {
    this.#ended = true
    this.#waiting.push({ kind: 'reset', reason })
    this.#scheduleFlush()
  }

  consumed(bytes: number): void {
    // More than was received can't be granted, whatever the reader says: the window is what bounds our memory.
    const outstanding = initialCreditBytes - this.#windowBytes
    this.#consumedBytes = Math.min(this.#consumedBytes + bytes, outstanding)
    if (this.#consumedBytes >= grantBytes && !this.#ended) this.#onGrant()
  }

  /** What to tell the other end. */
  takeGrant(): number {
    const bytes = this.#ended ? 0 : this.#consumedBytes
    this.#consumedBytes -= bytes
    this.#windowBytes += bytes
    return bytes
  }

  #arrive(arrival: Arrival): void {
    if (this.#events !== undefined && this.#waiting.length === 0) {
      this.#deliver(arrival, this.#events)
      return
    }
    // A small piece must not keep the large chunk alive that it came in.
    if (arrival.kind === 'data') arrival.data = { ...arrival.data, bytes: Buffer.from(arrival.data.bytes) }
    this.#waiting.push(arrival)
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#events === undefined || this.#waiting.length === 0) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    for (
      let arrival = this.#waiting[0];
      arrival !== undefined && this.#events !== undefined;
      arrival = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#deliver(arrival, this.#events)
    }
  }

  #deliver(arrival: Arrival, events: StreamEvents): void {
    if (arrival.kind === 'end') events.end()
    else if (arrival.kind === 'reset') events.reset(arrival.reason)
    else {
      this.consumed(arrival.prefixBytes)
      events.data(arrival.data)
    }
  }
}

// The receiving half of a stream: the window that was granted, and what waits until somebody listens.
import { initialCreditBytes } from './frame.ts'
import type { StreamData, StreamEvents } from './link-stream.ts'
import { Window, type WindowBudget } from './window.ts'

type Arrival =
  | { kind: 'data'; data: StreamData; prefixBytes: number }
  | { kind: 'end' }
  | { kind: 'reset'; reason: string }

/** A grant is told to the other end once it is such a part of the window; the sender's never falls under three quarters because of it. */
const grantedPart = 1 / 4

export class ReceiveHalf {
  /** Called when there is a grant to tell. */
  readonly #onGrant: () => void
  #events: StreamEvents | undefined
  #waiting: Arrival[] = []
  #flushScheduled = false
  readonly #window: Window
  /** What the other end may still send, and what has been consumed and not been told. */
  #leftBytes = initialCreditBytes
  #consumedBytes = 0
  #ended = false

  constructor(onGrant: () => void, budget?: WindowBudget) {
    this.#onGrant = onGrant
    this.#window = new Window(budget)
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
    this.#leftBytes -= prefixBytes + data.bytes.length
    if (this.#ended || this.#leftBytes < 0) return false
    this.#window.arrived()
    this.#arrive({ kind: 'data', data, prefixBytes })
    return true
  }

  end(): void {
    if (this.#ended) return
    this.#over()
    this.#arrive({ kind: 'end' })
  }

  /** Ends the half without telling the reader: it was never to be used, or its owner reset the stream. */
  drop(): void {
    this.#over()
    this.#waiting = []
  }

  reset(reason: string): void {
    this.#over()
    this.#waiting.push({ kind: 'reset', reason })
    this.#scheduleFlush()
  }

  consumed(bytes: number): void {
    // More than was received can't be granted, whatever the reader says: the window is what bounds our memory.
    const outstanding = this.#window.bytes - this.#leftBytes
    this.#consumedBytes = Math.min(this.#consumedBytes + bytes, outstanding)
    if (this.#consumedBytes >= this.#window.bytes * grantedPart && !this.#ended) this.#onGrant()
  }

  /** What to tell the other end. */
  takeGrant(): number {
    if (this.#ended) return 0
    const bytes = this.#consumedBytes + this.#window.read(this.#consumedBytes, performance.now())
    this.#consumedBytes = 0
    this.#leftBytes += bytes
    return bytes
  }

  #over(): void {
    this.#ended = true
    this.#window.end()
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

// One live view: the events that wait for the client's credit, within a bound, and the batches that they leave in.
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { type KeptBody, writeBody } from './body.ts'

/** An event whose body, if it has one, is still bytes: each view writes as much of it as was asked for. */
export type SeenEvent = { event: TrafficEvent; body?: KeptBody | undefined }

export type ViewOptions = {
  credit: number
  bodyBytes: number
  send(batch: { events: TrafficEvent[]; dropped: number }): void
}

/** A view whose client grants nothing costs at most this; the oldest events are dropped first, and counted. */
export const maxWaitingEvents = 1_000
export const maxWaitingBytes = 4 << 20
/** A larger event is a batch of its own (its body may be 64 KiB of text that JSON has to escape). */
export const maxBatchEvents = 100
export const maxBatchBytes = 256 << 10
/** Batches that are ready together leave together, at most this often. */
export const batchEveryMs = 20

type Waiting = { event: TrafficEvent; bytes: number }

export class View {
  #credit: number
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #dropped = 0
  #timer: NodeJS.Timeout | undefined
  #lastSentMs = Number.NEGATIVE_INFINITY
  #stopped = false
  readonly #options: ViewOptions

  constructor(options: ViewOptions) {
    this.#options = options
    this.#credit = options.credit
  }

  push({ event, body }: SeenEvent): void {
    if (this.#stopped) return
    const shown = this.#withBody(event, body)
    const bytes = Buffer.byteLength(JSON.stringify(shown))
    this.#waiting.push({ event: shown, bytes })
    this.#waitingBytes += bytes
    while (this.#waiting.length > maxWaitingEvents || this.#waitingBytes > maxWaitingBytes) {
      this.#waitingBytes -= this.#waiting.shift()?.bytes ?? 0
      this.#dropped++
    }
    this.#schedule()
  }

  grant(events: number): void {
    this.#credit += events
    this.#schedule()
  }

  /** Sends what waits, as far as there is credit, before its time. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#sendAll()
  }

  /** Returns the events lost since the last batch: those that were dropped, and those that still waited. */
  stop(): number {
    if (this.#stopped) return 0
    this.#stopped = true
    clearTimeout(this.#timer)
    const lost = this.#dropped + this.#waiting.length
    this.#waiting = []
    return lost
  }

  #withBody(event: TrafficEvent, body: KeptBody | undefined): TrafficEvent {
    const { bodyBytes } = this.#options
    if (body === undefined || bodyBytes === 0) return event
    return event.event === 'request' || event.event === 'response'
      ? { ...event, body: writeBody(body, bodyBytes) }
      : event
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#stopped || this.#credit === 0 || this.#waiting.length === 0) return
    const delayMs = Math.max(0, this.#lastSentMs + batchEveryMs - performance.now())
    this.#timer = setTimeout(() => this.#sendAll(), delayMs)
  }

  #sendAll(): void {
    this.#timer = undefined
    this.#lastSentMs = performance.now()
    while (this.#credit > 0 && this.#waiting.length > 0 && !this.#stopped) {
      const events = this.#takeBatch()
      const dropped = this.#dropped
      this.#dropped = 0
      this.#options.send({ events, dropped })
    }
  }

  #takeBatch(): TrafficEvent[] {
    const most = Math.min(maxBatchEvents, this.#credit, this.#waiting.length)
    let bytes = 0
    let length = 0
    while (length < most) {
      bytes += this.#waiting[length]?.bytes ?? 0
      if (length > 0 && bytes > maxBatchBytes) break
      length++
    }
    const batch = this.#waiting.splice(0, length)
    this.#credit -= length
    for (const waiting of batch) this.#waitingBytes -= waiting.bytes
    return batch.map(({ event }) => event)
  }
}

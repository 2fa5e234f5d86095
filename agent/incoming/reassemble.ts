// Puts the segments of one direction of a connection in order, and says where bytes are missing instead of guessing them.
import { type Budget, distance, OutOfOrder, type Overlap } from './out-of-order.ts'

/** Sequence numbers further away than the largest TCP window (2^30) belong to nothing that is open. */
const maxWindowBytes = 2 ** 30

/** Takes the ordered stream. `source` may be overwritten after the call. */
export type OrderedSink = {
  data(source: Uint8Array, from: number, to: number, timeMs: number): void
  /** Bytes of the stream that were cut off by the filter. */
  skipped(bytes: number, timeMs: number): void
  end(): void
}

/** What one packet brought: `length` bytes of the stream from `seq`, of which `source[from..to)` was captured. */
export type Arrival = {
  seq: number
  length: number
  source: Uint8Array
  from: number
  to: number
  fin: boolean
  timeMs: number
}

export type ReassembleOptions = {
  /** Out-of-order bytes that this direction may hold, and all together. */
  limitBytes: number
  budget: Budget
  overlap: Overlap
}

/**
 * One direction. Nothing is taken before `start` names the first byte. Retransmissions, keep-alives and window probes lie before the next
 * byte and fall away by themselves. A hole is only waited for: that it will never be filled is known from the receiver's acknowledgement.
 */
export class Reassembly {
  #next: number | undefined
  #finAt: number | undefined
  #ended = false
  readonly #early: OutOfOrder
  constructor(
    readonly sink: OrderedSink,
    options: ReassembleOptions,
  ) {
    this.#early = new OutOfOrder(options.limitBytes, options.budget, options.overlap)
  }

  /** The sequence number of the next byte in order; undefined before the start. */
  get next(): number | undefined {
    return this.#next
  }

  /** The FIN was reached: nothing follows. */
  get ended(): boolean {
    return this.#ended
  }

  start(seq: number): void {
    this.#next = seq >>> 0
  }

  /** Returns the reason if the stream cannot go on. */
  push(arrival: Arrival): string | undefined {
    if (this.#next === undefined || this.#ended) return undefined
    const ahead = distance(this.#next, arrival.seq)
    if (ahead >= maxWindowBytes || ahead + arrival.length < -maxWindowBytes) return undefined
    if (arrival.fin) this.#finAt ??= (arrival.seq + arrival.length) >>> 0
    const length = Math.min(arrival.length, this.#roomBeforeFin(arrival.seq))
    if (ahead > 0) return this.#hold(arrival, length)
    if (ahead + length > 0) this.#deliver(arrival, -ahead, length)
    this.#drain()
    return undefined
  }

  /** The receiver has everything before `ack`. Returns the bytes that it has and we never saw; 0 if there are none. */
  missingBefore(ack: number): number {
    if (this.#next === undefined) return 0
    const acknowledged = distance(this.#next, ack)
    if (acknowledged <= 0 || acknowledged >= maxWindowBytes) return 0
    const seenAfter = this.#early.first?.seq ?? this.#finAt
    return seenAfter === undefined ? acknowledged : Math.min(acknowledged, distance(this.#next, seenAfter))
  }

  /** Gives the memory back. */
  drop(): void {
    this.#early.clear()
    this.#ended = true
  }

  #roomBeforeFin(seq: number): number {
    return this.#finAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, distance(seq, this.#finAt))
  }

  #hold(arrival: Arrival, length: number): string | undefined {
    if (length === 0) return undefined
    const { seq, timeMs } = arrival
    const bytes = arrival.source.subarray(arrival.from, Math.min(arrival.to, arrival.from + length))
    if (this.#early.hold({ seq, length, bytes, timeMs })) return undefined
    return `gap: too many bytes arrived behind a hole of ${this.missingBefore(seq)} bytes`
  }

  #drain(): void {
    for (let piece = this.#early.first; piece !== undefined; piece = this.#early.first) {
      const ahead = distance(this.#next!, piece.seq)
      if (ahead > 0) break
      this.#early.shift()
      const { bytes, timeMs } = piece
      const length = Math.min(piece.length, this.#roomBeforeFin(piece.seq))
      if (ahead + length > 0)
        this.#deliver({ source: bytes, from: 0, to: bytes.length, timeMs }, -ahead, length)
    }
    if (this.#next !== this.#finAt) return
    this.#next = (this.#next! + 1) >>> 0
    this.#early.clear()
    this.#ended = true
    this.sink.end()
  }

  /** `length` bytes, of which the first `known` were delivered before. */
  #deliver(part: Pick<Arrival, 'source' | 'from' | 'to' | 'timeMs'>, known: number, length: number): void {
    const from = Math.min(part.from + known, part.to)
    const to = Math.min(part.from + length, part.to)
    this.#next = (this.#next! + length - known) >>> 0
    if (to > from) this.sink.data(part.source, from, to, part.timeMs)
    const skipped = length - known - Math.max(0, to - from)
    if (skipped > 0) this.sink.skipped(skipped, part.timeMs)
  }
}

// The sequenced frames that the other end has not acknowledged, and how far the present carrier has got with them.
import { encodeFrame } from './frame.ts'
import type { FrameBody } from './payload.ts'
import { Slabs } from './slabs.ts'

/** Taken frames stay until they are acknowledged; `rewind` lets them be taken again, for the next carrier. */
export class Outbox {
  #frames: Buffer[] = []
  /** Index of the oldest unacknowledged frame, and of the first that this carrier has not been given. */
  #head = 0
  #next = 0
  /** Sequence of the newest acknowledged frame, and of the newest at all. */
  #acknowledged = 0
  #sequence = 0
  #bytes = 0
  readonly #slabs = new Slabs()
  readonly #take = (bytes: number): Buffer => this.#slabs.take(bytes)

  constructor(readonly limitBytes: number) {}

  get bytes(): number {
    return this.#bytes
  }

  get full(): boolean {
    return this.#bytes >= this.limitBytes
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  get sequence(): number {
    return this.#sequence
  }

  get hasUnsent(): boolean {
    return this.#next < this.#frames.length
  }

  append({ type, flags, stream, payload, prefix }: FrameBody): void {
    this.#sequence += 1
    const sequence = BigInt(this.#sequence)
    const frame = encodeFrame({ type, flags, stream, sequence, payload }, prefix, this.#take)
    this.#frames.push(frame)
    this.#bytes += frame.length
  }

  take(): Buffer | undefined {
    const frame = this.#frames[this.#next]
    if (frame !== undefined) this.#next += 1
    return frame
  }

  rewind(): void {
    this.#next = this.#head
    // The carrier before may still hold what is acknowledged through the next one.
    this.#slabs.leave()
  }

  /** Forgets the frames up to this sequence; false when they were forgotten before or never made. */
  acknowledge(sequence: number): boolean {
    if (sequence < this.#acknowledged || sequence > this.#sequence) return false
    for (; this.#acknowledged < sequence; this.#acknowledged += 1) {
      this.#bytes -= this.#frames[this.#head]?.length ?? 0
      // Lets the memory go before the array is compacted.
      this.#frames[this.#head] = gone
      this.#slabs.letGo()
      this.#head += 1
    }
    this.#next = Math.max(this.#next, this.#head)
    this.#compact()
    return true
  }

  clear(): void {
    this.#frames = []
    this.#head = 0
    this.#next = 0
    this.#acknowledged = this.#sequence
    this.#bytes = 0
  }

  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#frames.length) return
    this.#frames.splice(0, this.#head)
    this.#next -= this.#head
    this.#head = 0
  }
}

const gone = Buffer.alloc(0)

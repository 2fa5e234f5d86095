// The sending half of a stream: what waits for credit or for its turn, cut into frames.
import { Failure } from '../errors.ts'
import { frameFlag, frameType, initialCreditBytes } from './frame.ts'
import type { StreamData } from './link-stream.ts'
import { dataPrefix, type FrameBody, prefixBytes } from './payload.ts'
import { Ring } from './ring.ts'

/** The largest payload of a data frame: a control frame or another stream waits no longer than for so much. */
export const dataPayloadBytes = 64 << 10
const maxSkipped = 0xffffffff

export class SendHalf {
  readonly #stream: number
  /** The open frame's payload, until it was taken; only at the opener. */
  #opening: { payload: Buffer; oneWay: boolean } | undefined
  readonly #queue = new Ring<StreamData>()
  #queuedBytes = 0
  #creditBytes = initialCreditBytes
  #state: 'open' | 'ending' | 'ended' = 'open'

  constructor(stream: number, opening: { payload: Buffer; oneWay: boolean } | undefined) {
    this.#stream = stream
    this.#opening = opening
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** The other end has not been told of the stream yet. */
  get unopened(): boolean {
    return this.#opening !== undefined
  }

  /** Its end was taken: nothing follows. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  /** Whether `take` would give a frame. */
  get ready(): boolean {
    if (this.#opening !== undefined) return true
    const data = this.#queue.first
    if (data === undefined) return this.#state === 'ending'
    return this.#creditBytes >= Math.min(prefixBytes(data) + data.bytes.length, prefixBytes(data) + 1)
  }

  write(data: StreamData): void {
    if (this.#state !== 'open') throw new Failure('stream-ended', { stream: this.#stream })
    const skipped = data.skipped ?? 0
    if (data.bytes.length === 0 && skipped === 0) return
    if (isPlain(data)) {
      this.#queue.push({ bytes: data.bytes })
      this.#queuedBytes += data.bytes.length
      return
    }
    const times = data.timeMs === undefined ? {} : { timeMs: data.timeMs }
    const first = Math.min(skipped, maxSkipped)
    this.#queue.push({ bytes: data.bytes, ...times, ...(skipped > 0 ? { skipped: first } : {}) })
    this.#queuedBytes += data.bytes.length
    if (skipped > first) this.write({ bytes: empty, ...times, skipped: skipped - first })
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ending'
  }

  /** Ends at once, without a frame: the half was never to be used, or the stream was reset. */
  drop(): void {
    this.#state = 'ended'
    this.#opening = undefined
    this.#queue.clear()
    this.#queuedBytes = 0
  }

  addCredit(bytes: number): void {
    this.#creditBytes += bytes
  }

  take(): FrameBody | undefined {
    if (this.#opening !== undefined) return this.#takeOpening(this.#opening)
    if (!this.ready) return undefined
    const data = this.#queue.first
    if (data !== undefined) return this.#takeData(data)
    this.#state = 'ended'
    return { type: frameType.end, flags: 0, stream: this.#stream, payload: empty }
  }

  #takeOpening({ payload, oneWay }: { payload: Buffer; oneWay: boolean }): FrameBody {
    this.#opening = undefined
    return { type: frameType.open, flags: oneWay ? frameFlag.oneWay : 0, stream: this.#stream, payload }
  }

  #takePlain(bytes: Buffer): FrameBody {
    const room = Math.min(dataPayloadBytes, this.#creditBytes)
    const payload = bytes.length <= room ? bytes : bytes.subarray(0, room)
    if (payload === bytes) this.#queue.shift()
    else this.#queue.replaceFirst({ bytes: bytes.subarray(room) })
    this.#queuedBytes -= payload.length
    this.#creditBytes -= payload.length
    return { type: frameType.data, flags: 0, stream: this.#stream, payload }
  }

  /** A piece as large as frame and credit allow. Each piece has the time; what was skipped comes after the last byte. */
  #takeData(data: StreamData): FrameBody {
    if (isPlain(data)) return this.#takePlain(data.bytes)
    const room = Math.min(dataPayloadBytes, this.#creditBytes)
    const whole = prefixBytes(data) + data.bytes.length <= room
    const { timeMs, skipped } = data
    const times = timeMs === undefined ? {} : { timeMs }
    const { flags, prefix } = dataPrefix(whole && skipped !== undefined ? { ...times, skipped } : times)
    const payload = whole ? data.bytes : data.bytes.subarray(0, room - prefix.length)
    if (whole) this.#queue.shift()
    else this.#queue.replaceFirst({ ...data, bytes: data.bytes.subarray(payload.length) })
    this.#queuedBytes -= payload.length
    this.#creditBytes -= prefix.length + payload.length
    return { type: frameType.data, flags, stream: this.#stream, payload, prefix }
  }
}

const empty = Buffer.alloc(0)

/**
 * Bytes alone, as connections of processes send them at full speed. Objects that are put together from others ("...") cost more than the bytes
 * then: their shapes are made anew after each collection of the heap, in the memory of old objects, and so lead to the next one.
 */
const isPlain = ({ timeMs, skipped }: StreamData): boolean => timeMs === undefined && skipped === undefined

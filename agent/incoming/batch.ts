// What the capture thread says to the agent's main thread: many small records and their bytes in one message, under credit.
import type { Opened } from '../../protocol/agent/control.ts'
import type { CaptureSink } from './connection.ts'

/** One record is five numbers: kind, stream, time in milliseconds, and two that depend on the kind. */
const recordNumbers = 5
/** offset and length in `bytes` */
const isData = 0
/** number of bytes */
const isSkipped = 1
const isEnd = 2
/** index in `reasons` */
const isReset = 3
/** index in `opened` */
const isOpened = 4

export const batchBytes = 256 * 1024
const firstRecords = 64
/** What a record counts against the credit beside its bytes, so that a flood of tiny ones meets the bound too. */
const recordCost = 64

/** Bytes that may be on their way to the main thread. Beyond it connections end, one by one, as they have something to say. */
export const creditBytes = 32 * 2 ** 20

export type Batch = {
  records: Float64Array
  bytes: Uint8Array
  opened: Opened[]
  reasons: string[]
  /** To be given back, by `giveBack`, when the batch has been handled. */
  cost: number
}

/** One 32-bit counter, shared by both threads: cost of all batches that the main thread has handled. It wraps around. */
export type Credit = Int32Array<SharedArrayBuffer>

export function giveBack(credit: Credit, batch: Batch): void {
  Atomics.add(credit, 0, batch.cost)
}

/** Collects records and posts them when they are many; `flush` posts the rest. */
export class BatchWriter implements CaptureSink {
  #bytes = new Uint8Array(batchBytes)
  #usedBytes = 0
  #records = new Float64Array(firstRecords * recordNumbers)
  #usedNumbers = 0
  #opened: Opened[] = []
  #reasons: string[] = []
  #postedCost = 0
  constructor(
    readonly credit: Credit,
    readonly post: (batch: Batch, transfer: ArrayBuffer[]) => void,
    readonly limitBytes: number = creditBytes,
  ) {}

  get ready(): boolean {
    return ((this.#postedCost - Atomics.load(this.credit, 0)) | 0) < this.limitBytes
  }

  opened(stream: number, opened: Opened): void {
    this.#record(isOpened, stream, opened.at, this.#opened.push(opened) - 1)
  }

  data(stream: number, source: Uint8Array, from: number, to: number, timeMs: number): void {
    for (let at = from; at < to; ) {
      if (this.#usedBytes === batchBytes) this.flush()
      const length = Math.min(to - at, batchBytes - this.#usedBytes)
      this.#bytes.set(source.subarray(at, at + length), this.#usedBytes)
      this.#record(isData, stream, timeMs, this.#usedBytes, length)
      this.#usedBytes += length
      at += length
    }
  }

  skipped(stream: number, bytes: number, timeMs: number): void {
    this.#record(isSkipped, stream, timeMs, bytes)
  }

  end(stream: number): void {
    this.#record(isEnd, stream)
  }

  reset(stream: number, reason: string): void {
    this.#record(isReset, stream, 0, this.#reasons.push(reason) - 1)
  }

  flush(): void {
    if (this.#usedNumbers === 0) return
    const cost = this.#usedBytes + (this.#usedNumbers / recordNumbers) * recordCost
    const bytes = this.#takeBytes()
    const records = this.#records.slice(0, this.#usedNumbers)
    const batch = { records, bytes, opened: this.#opened, reasons: this.#reasons, cost }
    this.#postedCost = (this.#postedCost + cost) | 0
    this.#usedNumbers = 0
    this.#opened = []
    this.#reasons = []
    this.post(batch, [bytes.buffer, records.buffer])
  }

  /** A full buffer is given away; of one that is hardly used a copy, as making another costs more. */
  #takeBytes(): Uint8Array<ArrayBuffer> {
    const used = this.#usedBytes
    this.#usedBytes = 0
    if (used < batchBytes / 4) return this.#bytes.slice(0, used)
    const full = this.#bytes.subarray(0, used)
    this.#bytes = new Uint8Array(batchBytes)
    return full
  }

  #record(kind: number, stream: number, timeMs = 0, first = 0, second = 0): void {
    if (this.#usedNumbers === this.#records.length) {
      const larger = new Float64Array(this.#records.length * 2)
      larger.set(this.#records)
      this.#records = larger
    }
    this.#records.set([kind, stream, timeMs, first, second], this.#usedNumbers)
    this.#usedNumbers += recordNumbers
  }
}

/** A view that keeps much more memory alive than it shows is copied. */
function bytesOf(batch: Batch, offset: number, length: number): Buffer {
  const shown = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + offset, length)
  return length * 2 < batch.bytes.buffer.byteLength ? Buffer.from(shown) : shown
}

/** Says the records of a batch to whoever takes them, in order. The buffers are the taker's to keep. */
export function readBatch(
  batch: Batch,
  to: Omit<CaptureSink, 'data' | 'ready'> & { data(stream: number, bytes: Buffer, timeMs: number): void },
): void {
  for (let at = 0; at < batch.records.length; at += recordNumbers) {
    const [kind, stream, timeMs, first, second] = batch.records.subarray(
      at,
      at + recordNumbers,
    ) as unknown as [number, number, number, number, number]
    if (kind === isData) to.data(stream, bytesOf(batch, first, second), timeMs)
    else if (kind === isSkipped) to.skipped(stream, first, timeMs)
    else if (kind === isEnd) to.end(stream)
    else if (kind === isReset) to.reset(stream, batch.reasons[first]!)
    else if (kind === isOpened) to.opened(stream, batch.opened[first]!)
  }
}

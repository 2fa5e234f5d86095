// A byte connection that carries frames: bounded writing, reading, and one reason when it is lost.
import type { Duplex } from 'node:stream'
import { Failure } from '../errors.ts'
import { type Frame, FrameReader } from './frame.ts'

/** What may wait in the connection's own buffer; more would delay control frames and acks, less would leave it idle. */
export const carrierBytes = 256 << 10

export type CarrierEvents = {
  /** Bytes came, whatever they are. */
  heard(): void
  /** A frame came. A `frame-invalid` that is thrown here loses the carrier. */
  frame(frame: Frame): void
  /** Called once; the carrier is closed. Not called after `close`. */
  lost(reason: string): void
  /** Something that was written has left the buffer. */
  writable(): void
}

export class Carrier {
  readonly #duplex: Duplex
  readonly #events: CarrierEvents
  readonly #reader = new FrameReader()
  #open = true

  constructor(duplex: Duplex, events: CarrierEvents) {
    this.#duplex = duplex
    this.#events = events
  }

  start(): void {
    const duplex = this.#duplex
    duplex.on('data', (chunk: Buffer) => this.#read(chunk))
    duplex.on('end', () => this.#lose('the other end closed the connection'))
    duplex.on('close', () => this.#lose('the connection closed'))
    duplex.on('error', error => this.#lose(`the connection broke (${codeOf(error)})`))
    if (duplex.destroyed) queueMicrotask(() => this.#lose('the connection closed'))
    duplex.resume()
  }

  /** Writes what `next` gives until it gives nothing or the buffer is full. */
  writeTogether(next: () => Buffer | undefined): void {
    this.#duplex.cork()
    while (this.#open && this.#duplex.writableLength < carrierBytes) {
      const bytes = next()
      if (bytes === undefined) break
      this.#duplex.write(bytes, this.#written)
    }
    this.#duplex.uncork()
  }

  /** Ends it without a word; its events are not called any more. */
  close(): void {
    this.#open = false
    this.#duplex.destroy()
  }

  readonly #written = (): void => {
    if (this.#open) this.#events.writable()
  }

  #read(chunk: Buffer): void {
    if (!this.#open) return
    this.#events.heard()
    try {
      for (const frame of this.#reader.read(chunk)) {
        if (!this.#open) return
        this.#events.frame(frame)
      }
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'frame-invalid') throw error
      this.#lose(error.message)
    }
  }

  #lose(reason: string): void {
    if (!this.#open) return
    this.close()
    this.#events.lost(reason)
  }
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message
}

// What came on a channel and was not read yet: kept outside of the stream that gives it out, because an error drops what a stream holds.
import type { Readable } from 'node:stream'

/** Above the first the WebSocket is paused, below the second it goes on. */
const pauseBytes = 256 << 10
const resumeBytes = 64 << 10

export type Source = { pause(): void; resume(): void }

/** Feeds a stream made with `readableHighWaterMark: 0`, so that the stream itself holds nothing before it is asked. */
export class Arrivals {
  readonly #stream: Readable
  readonly #source: Source
  #chunks: Buffer[] = []
  #bytes = 0
  #wanted = false
  #paused = false
  #over: (() => void) | undefined

  constructor(stream: Readable, source: Source) {
    this.#stream = stream
    this.#source = source
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0 || this.#over !== undefined || this.#stream.destroyed) return
    if (this.#wanted) {
      this.#wanted = false
      this.#stream.push(bytes)
      return
    }
    this.#chunks.push(bytes)
    this.#bytes += bytes.length
    if (!this.#paused && this.#bytes > pauseBytes) {
      this.#paused = true
      this.#source.pause()
    }
  }

  /** The stream wants more. */
  read(): void {
    const bytes = this.#chunks.shift()
    if (bytes === undefined) {
      this.#wanted = true
      this.#over?.()
      return
    }
    this.#bytes -= bytes.length
    if (this.#bytes < resumeBytes) this.#resume()
    this.#stream.push(bytes)
  }

  /** Nothing comes any more: ends the stream, or destroys it with the fault, as soon as all was read. `ended` is called just before. */
  over(fault: Error | undefined, ended: () => void = () => {}): void {
    if (this.#over !== undefined || this.#stream.destroyed) return
    this.#over = () => {
      ended()
      if (fault === undefined) this.#stream.push(null)
      else this.#stream.destroy(fault)
    }
    if (this.#chunks.length === 0 && this.#stream.readableLength === 0) this.#over()
  }

  drop(): void {
    this.#chunks = []
    this.#bytes = 0
    this.#resume()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#source.resume()
  }
}

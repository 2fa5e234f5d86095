// Streams that wait for their turn, each once, in the order in which they came.
import { Ring } from './ring.ts'
import type { Stream } from './stream.ts'

export class Turns {
  readonly #queue = new Ring<Stream>()
  readonly #what: keyof Stream['waits']

  constructor(what: keyof Stream['waits']) {
    this.#what = what
  }

  add(stream: Stream): void {
    if (stream.waits[this.#what]) return
    stream.waits[this.#what] = true
    this.#queue.push(stream)
  }

  /** A stream that was forgotten meanwhile has nothing to give when its turn comes. */
  next(): Stream | undefined {
    const stream = this.#queue.shift()
    if (stream !== undefined) stream.waits[this.#what] = false
    return stream
  }
}

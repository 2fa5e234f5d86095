// The chunked coding of HTTP/1.1, RFC 9112 section 7.1, taken off piece by piece.
import { isHeaderLine, maxHeadBytes } from './head.ts'

export type ChunkedEvents = { body(bytes: Buffer): void }
/** `more`: all bytes were taken. `end`: the body ended, `rest` follows it. `invalid`: not chunked coding. */
export type ChunkedResult = { state: 'more' } | { state: 'invalid' } | { state: 'end'; rest: Buffer }

/** Size and extensions: `;name`, `;name=token` or `;name="text"`. */
const sizeLine =
  /^([0-9a-fA-F]{1,13})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*"))?)*$/
const maxSizeLineBytes = 4 << 10
/** One line may follow a chunk's data: the empty one. */
type Expected = 'size' | 'data' | 'dataEnd' | 'trailer'

export class ChunkedReader {
  #expected: Expected = 'size'
  #line = ''
  #trailerBytes = 0
  #remaining = 0
  readonly #events: ChunkedEvents

  constructor(events: ChunkedEvents) {
    this.#events = events
  }

  data(bytes: Buffer): ChunkedResult {
    let rest = bytes
    while (rest.length > 0) {
      if (this.#expected === 'data') {
        rest = this.#take(rest)
        continue
      }
      const line = this.#readLine(rest)
      if (line === undefined) return { state: 'invalid' }
      rest = line.rest
      if (line.text === undefined) break
      const state = this.#lineDone(line.text)
      if (state === 'end') return { state, rest }
      if (state === 'invalid') return { state }
    }
    return { state: 'more' }
  }

  /** Bytes that passed unseen; false when it can't be known where they end in the coding. */
  skip(bytes: number): boolean {
    if (this.#expected !== 'data' || bytes > this.#remaining) return false
    this.#advance(bytes)
    return true
  }

  #take(bytes: Buffer): Buffer {
    const taken = bytes.subarray(0, this.#remaining)
    this.#events.body(taken)
    this.#advance(taken.length)
    return bytes.subarray(taken.length)
  }

  #advance(bytes: number): void {
    this.#remaining -= bytes
    if (this.#remaining === 0) this.#expected = 'dataEnd'
  }

  /** Text of a line when it is whole; undefined when the line is too long or does not end with exactly CR LF. */
  #readLine(bytes: Buffer): { text: string | undefined; rest: Buffer } | undefined {
    const end = bytes.indexOf(0x0a)
    const piece = bytes.toString('latin1', 0, end === -1 ? bytes.length : end + 1)
    this.#line += piece
    const limit = this.#expected === 'trailer' ? maxHeadBytes - this.#trailerBytes : maxSizeLineBytes
    if (this.#line.length > limit) return undefined
    if (end === -1) {
      const carriageReturn = this.#line.indexOf('\r')
      const misplaced = carriageReturn !== -1 && carriageReturn !== this.#line.length - 1
      return misplaced ? undefined : { text: undefined, rest: bytes.subarray(bytes.length) }
    }
    const text = this.#line.slice(0, -2)
    if (!this.#line.endsWith('\r\n') || text.includes('\r')) return undefined
    this.#line = ''
    return { text, rest: bytes.subarray(end + 1) }
  }

  #lineDone(text: string): 'more' | 'end' | 'invalid' {
    if (this.#expected === 'trailer') {
      if (text === '') return 'end'
      this.#trailerBytes += text.length + 2
      return isHeaderLine(text) ? 'more' : 'invalid'
    }
    if (this.#expected === 'dataEnd') {
      this.#expected = 'size'
      return text === '' ? 'more' : 'invalid'
    }
    const size = sizeLine.exec(text)?.[1]
    if (size === undefined) return 'invalid'
    this.#remaining = Number.parseInt(size, 16)
    this.#expected = this.#remaining === 0 ? 'trailer' : 'data'
    return 'more'
  }
}

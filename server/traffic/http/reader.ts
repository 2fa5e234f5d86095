// One direction of an HTTP/1 connection, read piece by piece: heads, bodies, ends; never throws, and never guesses.
import { ChunkedReader } from './chunked.ts'
import type { Framing } from './framing.ts'
import { maxHeadBytes } from './head.ts'

export type ReaderEvents<Head> = {
  /** The first byte of a message is there; false: no message may begin yet, and the bytes are given back. */
  begin(timeMs: number): boolean
  head(head: Head): Framing
  body(bytes: Buffer): void
  /** Bytes of the body that were not captured. */
  bodySkipped(bytes: number): void
  end(timeMs: number): void
  /** What follows is not read: not HTTP/1, ambiguous, another protocol, or bytes that passed unseen. The message under way has no end. */
  stopped(why: 'opaque' | 'tunnel' | 'lost'): void
}

export type ReaderGrammar<Head> = {
  readHead(text: string): Head | undefined
  /** Whether a cut text can be the start of a head, so that other protocols are seen at their first bytes. */
  couldBegin(text: string): boolean
  /** One empty line before a message is passed over (RFC 9112 section 2.2, for requests alone). */
  emptyLineBefore: boolean
}

type State = 'start' | 'head' | 'length' | 'chunked' | 'close' | 'stopped'
const nothing = Buffer.alloc(0)

export class HttpReader<Head> {
  #state: State = 'start'
  #head: Buffer = nothing
  #emptyLine = 0
  #remaining = 0
  #chunked: ChunkedReader | undefined
  readonly #grammar: ReaderGrammar<Head>
  readonly #events: ReaderEvents<Head>

  constructor(grammar: ReaderGrammar<Head>, events: ReaderEvents<Head>) {
    this.#grammar = grammar
    this.#events = events
  }

  /** Whether the next byte begins a message. */
  get atStart(): boolean {
    return this.#state === 'start' && this.#emptyLine !== 1
  }

  get stopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Returns the bytes that it gives back because `begin` said no. */
  data(bytes: Buffer, timeMs: number): Buffer {
    let rest = bytes
    while (rest.length > 0 && this.#state !== 'stopped') {
      if (this.#state === 'start') {
        rest = this.#passEmptyLine(rest)
        if (rest.length === 0 || this.stopped) break
        if (!this.#events.begin(timeMs)) return rest
        this.#emptyLine = 0
        this.#state = 'head'
      }
      rest = this.#step(rest, timeMs)
    }
    return nothing
  }

  /** Bytes that passed and were not captured. */
  skipped(bytes: number, timeMs: number): void {
    if (this.#state === 'stopped' || bytes === 0) return
    if (this.#state === 'length' && bytes <= this.#remaining) {
      this.#events.bodySkipped(bytes)
      this.#counted(bytes, timeMs)
    } else if (
      this.#state === 'close' ||
      (this.#state === 'chunked' && this.#chunked?.skip(bytes) === true)
    ) {
      this.#events.bodySkipped(bytes)
    } else this.stop('lost')
  }

  /** The direction ended in order: a body that only the end closes is whole. */
  finish(timeMs: number): void {
    if (this.#state === 'close') this.#ended(timeMs)
  }

  stop(why: 'opaque' | 'tunnel' | 'lost'): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#head = nothing
    this.#chunked = undefined
    this.#events.stopped(why)
  }

  /** Reads again from a message boundary that is known from elsewhere. */
  restart(): void {
    this.#state = 'start'
    this.#emptyLine = 0
  }

  #step(bytes: Buffer, timeMs: number): Buffer {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, timeMs)
      case 'length':
        return this.#readLength(bytes, timeMs)
      case 'chunked':
        return this.#readChunked(bytes, timeMs)
      case 'close':
        this.#events.body(bytes)
    }
    return nothing
  }

  #passEmptyLine(bytes: Buffer): Buffer {
    let at = 0
    while (this.#grammar.emptyLineBefore && at < bytes.length) {
      const isBreak = bytes[at] === 0x0d || bytes[at] === 0x0a
      if (!isBreak && this.#emptyLine !== 1) break
      if (this.#emptyLine > 1 || bytes[at] !== (this.#emptyLine === 0 ? 0x0d : 0x0a)) {
        this.stop('opaque')
        break
      }
      this.#emptyLine++
      at++
    }
    return bytes.subarray(at)
  }

  #readHead(bytes: Buffer, timeMs: number): Buffer {
    const before = this.#head.length
    const all = before === 0 ? bytes : Buffer.concat([this.#head, bytes])
    const end = all.indexOf('\r\n\r\n', Math.max(0, before - 3))
    const headBytes = end === -1 ? all.length : end + 4
    if (headBytes > maxHeadBytes || hasBareBreak(all, before, headBytes)) return this.#refuse()
    if (end !== -1) {
      this.#head = nothing
      return this.#headDone(all.toString('latin1', 0, end), all.subarray(headBytes), timeMs)
    }
    const lineSeen = before > 0 && this.#head.includes(0x0a)
    if (!lineSeen && !this.#grammar.couldBegin(all.toString('latin1'))) return this.#refuse()
    this.#head = before === 0 ? Buffer.from(all) : all
    return nothing
  }

  #headDone(text: string, rest: Buffer, timeMs: number): Buffer {
    const head = this.#grammar.readHead(text)
    if (head === undefined) return this.#refuse()
    const framing = this.#events.head(head)
    if (this.stopped) return nothing
    switch (framing.body) {
      case 'ambiguous':
        return this.#refuse()
      case 'tunnel':
        this.#ended(timeMs)
        this.stop('tunnel')
        return nothing
      case 'none':
        this.#ended(timeMs)
        return rest
      case 'length':
        this.#remaining = framing.bytes
        break
      case 'chunked':
        this.#chunked = new ChunkedReader({ body: bytes => this.#events.body(bytes) })
    }
    this.#state = framing.body
    return rest
  }

  #readLength(bytes: Buffer, timeMs: number): Buffer {
    const taken = bytes.subarray(0, this.#remaining)
    this.#events.body(taken)
    this.#counted(taken.length, timeMs)
    return bytes.subarray(taken.length)
  }

  #counted(bytes: number, timeMs: number): void {
    this.#remaining -= bytes
    if (this.#remaining === 0) this.#ended(timeMs)
  }

  #readChunked(bytes: Buffer, timeMs: number): Buffer {
    const result = this.#chunked?.data(bytes)
    if (result === undefined || result.state === 'invalid') return this.#refuse()
    if (result.state === 'more') return nothing
    this.#ended(timeMs)
    return result.rest
  }

  #ended(timeMs: number): void {
    this.#state = 'start'
    this.#chunked = undefined
    this.#events.end(timeMs)
  }

  #refuse(): Buffer {
    this.stop('opaque')
    return nothing
  }
}

/** Whether a head holds CR without LF or LF without CR between `from` and `to`; a CR that ends the text may still get its LF. */
function hasBareBreak(bytes: Buffer, from: number, to: number): boolean {
  for (let at = bytes.indexOf(0x0a, from); at !== -1 && at < to; at = bytes.indexOf(0x0a, at + 1)) {
    if (at === 0 || bytes[at - 1] !== 0x0d) return true
  }
  const fromCarriage = Math.max(0, from - 1)
  for (
    let at = bytes.indexOf(0x0d, fromCarriage);
    at !== -1 && at + 1 < to;
    at = bytes.indexOf(0x0d, at + 1)
  ) {
    if (bytes[at + 1] !== 0x0a) return true
  }
  return false
}

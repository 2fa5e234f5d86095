// What one side, the pod or the process, answers on one connection, matched by order to the requests.
import { BodyKeeper } from './body.ts'
import { type Framing, responseFraming } from './http/framing.ts'
import { type ResponseHead, readResponseHead } from './http/head.ts'
import { HttpReader } from './http/reader.ts'
import { beginsStatusLine, couldBeResponse } from './http/start-line.ts'
import type { Exchange } from './requests.ts'
import type { Sink, Unfinished } from './sink.ts'

export type AnswersOptions = {
  connection: string
  side: 'pod' | 'process' | 'service'
  sink: Sink
  /** When the request began, by the clock that this side's data is timed with. */
  startOf(exchange: Exchange): number
  /** The connection carries another protocol from here. */
  onTunnel(): void
}

/** Requests that wait for their answers; deeper pipelining than this is not followed. */
const maxPending = 100
/** Answers that arrived before their request was seen (two streams of the link, each with its own credit). */
const maxHeldBytes = 64 << 10
const grammar = { readHead: readResponseHead, couldBegin: couldBeResponse, emptyLineBefore: false }
type Held = { bytes: Buffer; timeMs: number }

/**
 * The process's answers are always followed, because it may be several requests behind the pod, and only so a view that begins in the
 * middle counts right. The pod's are followed while somebody looks. After bytes that were not read (nobody looked, or they were not
 * captured and no length tells how many) it goes on where the first data since a request begins with a status line, and that request
 * began after the pod had gone quiet: what looks like a head within a body is then not taken for one.
 */
export class Answers {
  #pending: Exchange[] = []
  #held: Held[] = []
  #heldBytes = 0
  #requestsOver = false
  #follows = true
  /** The direction is no HTTP/1 any more. */
  #over = false
  #lastMs = 0
  #at = 0
  /** What is being read answers a request, other than 100 (Continue) and its like. */
  #answering = false
  #shown: (Unfinished & { ended(timeMs: number): void }) | undefined
  #body: BodyKeeper | undefined
  readonly #options: AnswersOptions
  readonly #reader: HttpReader<ResponseHead>

  /** `fromStart`: the first byte that comes begins an answer. */
  constructor(options: AnswersOptions, { fromStart }: { fromStart: boolean }) {
    this.#options = options
    this.#follows = fromStart
    this.#reader = new HttpReader<ResponseHead>(grammar, {
      begin: timeMs => this.#begin(timeMs),
      head: head => this.#head(head),
      body: bytes => this.#body?.add(bytes),
      bodySkipped: bytes => this.#body?.skip(bytes),
      end: timeMs => this.#end(timeMs),
      stopped: why => this.#stopped(why),
    })
  }

  request(exchange: Exchange): void {
    if (this.#pending.length >= maxPending) this.#lose()
    if (this.#over) return
    this.#pending.push(exchange)
    this.#release()
  }

  /** No request follows that could be matched. */
  requestsOver(): void {
    this.#requestsOver = true
    this.#release()
  }

  data(bytes: Buffer, timeMs: number): void {
    if (this.#over || bytes.length === 0) return
    if (this.#mayLose && !this.#options.sink.viewing) this.#lose()
    else if (this.#follows || this.#findsAgain(bytes, timeMs)) this.#read(bytes, timeMs)
    else this.#lose()
    this.#lastMs = timeMs
  }

  skipped(bytes: number, timeMs: number): void {
    if (this.#over || bytes === 0) return
    if (!this.#follows || this.#heldBytes > 0 || !this.#options.sink.viewing) this.#lose()
    else this.#reader.skipped(bytes, timeMs)
    this.#lastMs = timeMs
  }

  end(timeMs: number): void {
    if (this.#follows) this.#reader.finish(timeMs)
    this.stop()
  }

  /** Nothing follows, or nothing that is HTTP/1. */
  stop(): void {
    this.#over = true
    this.#reader.stop('opaque')
    this.#pending = []
    this.#held = []
    this.#heldBytes = 0
  }

  /** Whether the next answer can be found again: the caller waits for the pod's answers, never for the process's. */
  get #mayLose(): boolean {
    return this.#options.side === 'pod'
  }

  #read(bytes: Buffer, timeMs: number): void {
    const rest = this.#held.length > 0 ? bytes : this.#reader.data(bytes, timeMs)
    if (rest.length === 0) return
    if (this.#requestsOver || this.#heldBytes + rest.length > maxHeldBytes) {
      this.stop()
      return
    }
    this.#held.push({ bytes: Buffer.from(rest), timeMs })
    this.#heldBytes += rest.length
  }

  #release(): void {
    const held = this.#held
    if (held.length === 0) return
    this.#held = []
    this.#heldBytes = 0
    for (const { bytes, timeMs } of held) if (!this.#over) this.#read(bytes, timeMs)
  }

  #findsAgain(bytes: Buffer, timeMs: number): boolean {
    const [exchange] = this.#pending
    if (exchange === undefined || !beginsStatusLine(bytes)) return false
    const begunAt = this.#options.startOf(exchange)
    if (begunAt < this.#lastMs || begunAt > timeMs) return false
    this.#follows = true
    this.#reader.restart()
    return true
  }

  #lose(): void {
    if (!this.#mayLose) {
      this.stop()
      return
    }
    if (this.#follows) this.#reader.stop('lost')
    this.#follows = false
    this.#pending.length = 0
    this.#held = []
    this.#heldBytes = 0
  }

  #begin(timeMs: number): boolean {
    this.#at = timeMs
    return this.#pending.length > 0
  }

  #head(head: ResponseHead): Framing {
    const [exchange] = this.#pending
    if (exchange === undefined) return { body: 'ambiguous' }
    const framing = responseFraming(head, exchange.method)
    // Informational answers (100, 103) come before the answer and are not shown.
    const isAnswer = head.status >= 200 || head.status === 101
    this.#answering = isAnswer && framing.body !== 'ambiguous'
    if (this.#answering && this.#options.sink.viewing) this.#shownOnce(head, exchange)
    return framing
  }

  #shownOnce({ status, reason, version, headers }: ResponseHead, exchange: Exchange): void {
    exchange.show()
    const { connection, side, sink, startOf } = this.#options
    const startMs = startOf(exchange)
    const keeper = new BodyKeeper(sink.bodyBytes)
    const answer = { event: 'response', at: this.#at, connection, side, exchange: exchange.number } as const
    const head = { status, reason, version, headers, firstByteMs: Math.max(0, this.#at - startMs) }
    let durationMs: number | undefined
    const shown = sink.unfinished(whole => {
      const event = { ...answer, ...head, ...(durationMs === undefined ? {} : { durationMs }) }
      sink.show({ event, body: keeper.result({ whole }) })
    })
    this.#body = keeper
    this.#shown = {
      ...shown,
      ended: timeMs => {
        durationMs = Math.max(0, timeMs - startMs)
        shown.whole()
      },
    }
  }

  #end(timeMs: number): void {
    if (!this.#answering) return
    this.#pending.shift()
    this.#shown?.ended(timeMs)
    this.#forget()
  }

  #stopped(why: 'opaque' | 'tunnel' | 'lost'): void {
    this.#shown?.early()
    this.#forget()
    this.#follows = false
    this.#pending.length = 0
    if (why === 'lost') return
    this.#over = true
    if (why === 'tunnel') this.#options.onTunnel()
  }

  #forget(): void {
    this.#answering = false
    this.#shown = undefined
    this.#body = undefined
  }
}

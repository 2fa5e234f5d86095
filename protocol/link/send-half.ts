// What a caller sends on one connection, read as HTTP/1 requests: who needs message boundaries gets them, viewed or not.
import { BodyKeeper } from './body.ts'
import { requestFraming } from './http/framing.ts'
import { type RequestHead, readRequestHead } from './http/head.ts'
import { HttpReader } from './http/reader.ts'
import { couldBeRequest } from './http/start-line.ts'
import type { Sink, Unfinished } from './sink.ts'

/** A request as its answers need it. */
export type Exchange = {
  /** From 1 on its connection. */
  number: number
  method: string
  /** Time of capture of its first byte. */
  at: number
  /** The same moment by the server's own clock, for what the process answers. */
  seenMs: number
  /** Shows the request, if that has not happened yet: it comes before its answers. */
  show(): void
}

export type RequestsOptions = {
  connection: string
  sink: Sink
  onExchange(exchange: Exchange): void
  /** No request follows that could be told from other bytes. */
  onStopped(): void
}

const nothingToShow = () => {}
const grammar = { readHead: readRequestHead, couldBegin: couldBeRequest, emptyLineBefore: true }

/**
 * Requests are always read, also when nobody looks: it costs a few microseconds a head and nothing a byte of a body of known length,
 * and only so the boundaries are exact when a view or a delivery begins in the middle of a connection.
 */
export class Requests {
  #count = 0
  #at = 0
  #seenMs = 0
  #body: BodyKeeper | undefined
  #shown: Unfinished | undefined
  readonly #options: RequestsOptions
  readonly #reader: HttpReader<RequestHead>

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#reader = new HttpReader<RequestHead>(grammar, {
      begin: timeMs => this.#begin(timeMs),
      head: head => this.#head(head),
      body: bytes => this.#body?.add(bytes),
      bodySkipped: bytes => this.#body?.skip(bytes),
      end: () => this.#end(),
      stopped: () => this.#stopped(),
    })
  }

  get atStart(): boolean {
    return this.#reader.atStart
  }

  get stopped(): boolean {
    return this.#reader.stopped
  }

  data(bytes: Buffer, timeMs: number): void {
    this.#reader.data(bytes, timeMs)
  }

  skipped(bytes: number, timeMs: number): void {
    this.#reader.skipped(bytes, timeMs)
  }

  /** Another protocol begins here, or the direction is over. */
  stop(): void {
    this.#reader.stop('tunnel')
  }

  #begin(timeMs: number): boolean {
    this.#at = timeMs
    this.#seenMs = this.#options.sink.clock()
    return true
  }

  #head(head: RequestHead): ReturnType<typeof requestFraming> {
    const framing = requestFraming(head)
    if (framing.body === 'ambiguous') return framing
    const number = ++this.#count
    this.#shown = this.#options.sink.viewing ? this.#shownOnce(head, number) : undefined
    this.#options.onExchange({
      number,
      method: head.method,
      at: this.#at,
      seenMs: this.#seenMs,
      show: this.#shown?.early ?? nothingToShow,
    })
    return framing
  }

  #shownOnce({ method, path, version, headers }: RequestHead, exchange: number): Unfinished {
    const { connection, sink } = this.#options
    const at = this.#at
    const keeper = new BodyKeeper(sink.bodyBytes)
    this.#body = keeper
    return sink.unfinished(whole => {
      const event = { event: 'request', at, connection, exchange, method, path, version, headers } as const
      sink.show({ event, body: keeper.result({ whole }) })
    })
  }

  #end(): void {
    this.#shown?.whole()
    this.#forget()
  }

  #stopped(): void {
    this.#shown?.early()
    this.#forget()
    this.#options.onStopped()
  }

  #forget(): void {
    this.#shown = undefined
    this.#body = undefined
  }
}

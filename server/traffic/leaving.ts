// One connection that leaves from the pod as the views see it: whether it came about, the bytes each way, HTTP/1 heads, and its end.
import type { Endpoint } from '../../protocol/codec.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { Answers } from './answers.ts'
import { Requests } from './requests.ts'
import type { Sink } from './sink.ts'

export type LeavingFacts = {
  protocol: 'tcp' | 'udp' | 'unix'
  to: Endpoint
  rule: string
  name?: string | undefined
}

/** What its owner tells, in this order: `failed`, or `stands`, bytes as they pass, and `over`. */
export type LeavingTaps = {
  failed(errno?: string): void
  stands(local: Endpoint): void
  sent(bytes: Buffer): void
  received(bytes: Buffer): void
  over(reason?: string): void
}

export type LeavingOptions = LeavingFacts & { connection: string; sink: Sink }

export class Leaving implements LeavingTaps {
  readonly #options: LeavingOptions
  readonly #askedMs: number
  readonly #bytes = { sent: 0, received: 0 }
  #http: { requests: Requests; answers: Answers } | undefined
  #stands: { at: number; local: Endpoint } | undefined
  #isOver = false

  constructor(options: LeavingOptions) {
    this.#options = options
    this.#askedMs = options.sink.clock()
  }

  /** How a view that begins in the middle is told of it; undefined before it stands. */
  opening(joined: boolean): TrafficEvent | undefined {
    if (this.#stands === undefined) return undefined
    return { event: 'outgoingOpened', ...this.#stands, ...this.#shown(), joined }
  }

  failed(errno?: string): void {
    if (this.#isOver) return
    this.#isOver = true
    const { sink } = this.#options
    const at = sink.clock()
    const afterMs = at - this.#askedMs
    const why = errno === undefined ? {} : { errno }
    sink.show({ event: { event: 'outgoingFailed', at, ...this.#shown(), afterMs, ...why } })
  }

  /** Nobody needs what is in it but who looks: heads are read only if somebody does from the beginning. */
  stands(local: Endpoint): void {
    const { sink } = this.#options
    this.#stands = { at: sink.clock(), local }
    if (sink.viewing) this.#http = this.#readHttp()
    sink.show({ event: this.opening(false)! })
  }

  sent(bytes: Buffer): void {
    this.#bytes.sent += bytes.length
    this.#http?.requests.data(bytes, this.#options.sink.clock())
  }

  received(bytes: Buffer): void {
    this.#bytes.received += bytes.length
    this.#http?.answers.data(bytes, this.#options.sink.clock())
  }

  over(reason?: string): void {
    if (this.#isOver) return
    this.#isOver = true
    const { connection, sink } = this.#options
    const at = sink.clock()
    this.#http?.answers.end(at)
    this.#http?.requests.stop()
    const why = reason === undefined ? {} : { reason }
    sink.show({ event: { event: 'outgoingClosed', at, connection, ...this.#bytes, ...why } })
  }

  #shown() {
    const { connection, protocol, to, rule, name } = this.#options
    return { connection, protocol, to, rule, ...(name === undefined ? {} : { name }) }
  }

  #readHttp(): { requests: Requests; answers: Answers } {
    const { connection, sink } = this.#options
    const answers: Answers = new Answers(
      {
        ...{ connection, sink, side: 'service' },
        startOf: exchange => exchange.at,
        onTunnel: () => requests.stop(),
      },
      { fromStart: true },
    )
    const requests = new Requests({
      ...{ connection, sink },
      onExchange: exchange => answers.request(exchange),
      onStopped: () => answers.requestsOver(),
    })
    return { requests, answers }
  }
}

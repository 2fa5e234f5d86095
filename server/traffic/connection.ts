// One connection as the views see it: the caller's bytes, the pod's answers, the process's answers, and when each side ended.
import type { Opened } from '../../protocol/agent/control.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { Answers } from './answers.ts'
import { type Exchange, Requests } from './requests.ts'
import type { Sink } from './sink.ts'

/** One direction of one connection as a view sees it; times in milliseconds since the Unix epoch. */
export type TrafficTap = {
  data(bytes: Buffer, timeMs: number): void
  skipped(bytes: number, timeMs: number): void
  end(timeMs: number): void
  reset(reason: string, timeMs: number): void
}

/** What the caller sent. */
export type ReceivedTap = TrafficTap & {
  /** Whether the next byte begins an HTTP/1 request, as far as it is one: exact, never guessed from what bytes look like. */
  readonly atMessageStart: boolean
}

/** What a process answered, timed by the server's clock, and how much of the caller's bytes it was given. */
export type ProcessTap = TrafficTap & {
  delivered(bytes: number): void
  /** The process has ended its half; `end` or `reset` follows when the connection is over. */
  answered(timeMs: number): void
}

export type ConnectionTaps = {
  received: ReceivedTap
  sent: TrafficTap
  /** A connection to the process begins; a copy can have several, one after the other, when the process is restarted. */
  process(): ProcessTap
}

export type ConnectionOptions = {
  opened: Opened
  sink: Sink
  /** The pod's side has ended, in both directions that are captured. */
  onPodClosed(): void
}

type Half = 'none' | 'open' | 'ended'

export class Connection {
  #receivedBytes = 0
  #sentBytes = 0
  readonly #halves: { received: Half; sent: Half } = { received: 'none', sent: 'none' }
  readonly #answers = new Set<Answers>()
  #podAnswers: Answers | undefined
  #podReason: string | undefined
  readonly #requests: Requests
  readonly #options: ConnectionOptions
  readonly taps: ConnectionTaps

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { opened, sink } = options
    this.#requests = new Requests({
      connection: opened.connection,
      sink,
      onExchange: exchange => {
        for (const answers of this.#answers) answers.request(exchange)
      },
      onStopped: () => {
        for (const answers of this.#answers) answers.requestsOver()
      },
    })
    this.taps = { received: this.#received(), sent: this.#sent(), process: () => this.#process() }
  }

  /** A half that the agent captures; one that begins after the caller's first bytes begins anywhere. */
  begin(half: 'received' | 'sent'): void {
    if (this.#halves[half] !== 'none') return
    this.#halves[half] = 'open'
    if (half === 'sent')
      this.#podAnswers = this.#follow('pod', exchange => exchange.at, {
        fromStart: this.#receivedBytes === 0,
      })
  }

  #received(): ReceivedTap {
    const requests = this.#requests
    return {
      get atMessageStart() {
        return requests.atStart
      },
      data: (bytes, timeMs) => {
        this.#receivedBytes += bytes.length
        requests.data(bytes, timeMs)
      },
      skipped: (bytes, timeMs) => {
        this.#receivedBytes += bytes
        requests.skipped(bytes, timeMs)
      },
      end: timeMs => {
        requests.stop()
        this.#halfEnded('received', timeMs)
      },
      reset: (reason, timeMs) => {
        requests.stop()
        this.#halfEnded('received', timeMs, reason)
      },
    }
  }

  #sent(): TrafficTap {
    return {
      data: (bytes, timeMs) => {
        this.#sentBytes += bytes.length
        this.#podAnswers?.data(bytes, timeMs)
      },
      skipped: (bytes, timeMs) => {
        this.#sentBytes += bytes
        this.#podAnswers?.skipped(bytes, timeMs)
      },
      end: timeMs => {
        this.#podAnswers?.end(timeMs)
        this.#halfEnded('sent', timeMs)
      },
      reset: (reason, timeMs) => {
        this.#podAnswers?.stop()
        this.#halfEnded('sent', timeMs, reason)
      },
    }
  }

  #process(): ProcessTap {
    const answers = this.#follow('process', exchange => exchange.seenMs, { fromStart: true })
    const bytes = { received: 0, sent: 0 }
    let closed = false
    const close = (timeMs: number, reason?: string) => {
      if (closed) return
      closed = true
      answers.end(timeMs)
      this.#answers.delete(answers)
      this.#showClosed('process', timeMs, bytes, reason)
    }
    return {
      delivered: count => {
        bytes.received += count
      },
      data: (data, timeMs) => {
        bytes.sent += data.length
        answers.data(data, timeMs)
      },
      skipped: () => {},
      answered: timeMs => answers.end(timeMs),
      end: timeMs => close(timeMs),
      reset: (reason, timeMs) => {
        answers.stop()
        close(timeMs, reason)
      },
    }
  }

  #follow(
    side: 'pod' | 'process',
    startOf: (exchange: Exchange) => number,
    from: { fromStart: boolean },
  ): Answers {
    const { opened, sink } = this.#options
    // The caller goes on as the pod answered, whatever the process would have agreed to.
    const onTunnel = () => {
      if (side === 'pod') this.#requests.stop()
    }
    const answers = new Answers({ connection: opened.connection, side, sink, startOf, onTunnel }, from)
    if (this.#requests.stopped) answers.requestsOver()
    this.#answers.add(answers)
    return answers
  }

  #halfEnded(half: 'received' | 'sent', timeMs: number, reason?: string): void {
    if (this.#halves[half] !== 'open') return
    this.#halves[half] = 'ended'
    this.#podReason ??= reason
    if (this.#halves.received === 'open' || this.#halves.sent === 'open') return
    if (this.#podAnswers !== undefined) this.#answers.delete(this.#podAnswers)
    const bytes = { received: this.#receivedBytes, sent: this.#sentBytes }
    this.#showClosed('pod', timeMs, bytes, this.#podReason)
    this.#options.onPodClosed()
  }

  #showClosed(
    side: 'pod' | 'process',
    at: number,
    { received, sent }: { received: number; sent: number },
    reason?: string,
  ): void {
    const { connection } = this.#options.opened
    const why = reason === undefined ? {} : { reason }
    const event: TrafficEvent = { event: 'closed', at, connection, side, received, sent, ...why }
    this.#options.sink.show({ event })
  }
}

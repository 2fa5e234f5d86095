// One captured connection: both directions, what each says of the other by its acknowledgements, and how it begins and ends.
import type { Opened } from '../../protocol/agent/control.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { type Budget, distance, type Overlap } from './out-of-order.ts'
import { type OrderedSink, Reassembly } from './reassemble.ts'
import { ACK, FIN, RST, type Segment, SYN } from './segment.ts'

/** Where ordered bytes go. A stream is a number: twice the connection's, and one more for what the pod sent. */
export type CaptureSink = {
  /** False when the reader is behind: what would be written is given up, connection by connection. */
  readonly ready: boolean
  opened(stream: number, opened: Opened): void
  data(stream: number, source: Uint8Array, from: number, to: number, timeMs: number): void
  skipped(stream: number, bytes: number, timeMs: number): void
  end(stream: number): void
  reset(stream: number, reason: string): void
}

export type ConnectionOptions = {
  number: number
  /** Text that makes `number` unique for the agent. */
  prefix: string
  caller: Endpoint
  pod: Endpoint
  answers: boolean
  overlap: Overlap
  limitBytes: number
  budget: Budget
}

/** A SYN that the pod has not answered yet, with the data of TCP Fast Open. */
export type Proposal = { seq: number; bytes: Uint8Array; atMs: number }

/** What became of the connection with this segment; `gone` and `gap` carry a reason, `replaced` the SYN that the pod took instead. */
export type Outcome =
  | { is: 'live' }
  | { is: 'done' }
  | { is: 'gone' | 'gap'; reason: string }
  | { is: 'replaced'; by: Proposal }

const live: Outcome = { is: 'live' }
const done: Outcome = { is: 'done' }
const gap = (bytes: number): Outcome => ({ is: 'gap', reason: `gap of ${bytes} bytes` })

export class Connection {
  readonly received: Reassembly
  readonly sent: Reassembly
  /** Over connections stay known for a while, so that their late segments begin nothing. */
  over = false
  opened = false
  lastMs = 0
  #proposal: Proposal | undefined
  #rival: Proposal | undefined
  #atMs = 0
  #joined = false
  constructor(
    readonly options: ConnectionOptions,
    readonly sink: CaptureSink,
  ) {
    this.received = new Reassembly(this.#sinkOf(0), options)
    this.sent = new Reassembly(this.#sinkOf(1), options)
  }

  get proposedSeq(): number | undefined {
    return this.#proposal?.seq
  }

  propose(proposal: Proposal): void {
    this.#proposal = proposal
    this.#atMs = proposal.atMs
  }

  /** Begins in the middle, with a segment that begins with a request line: what it acknowledges is where the pod's answer will begin. */
  join(segment: Segment, atMs: number): void {
    this.#atMs = atMs
    this.#joined = true
    this.received.start(segment.seq)
    this.sent.start(segment.ack)
    this.#open()
  }

  fromCaller(segment: Segment, source: Uint8Array, timeMs: number): Outcome {
    if (segment.flags & RST) return this.#reset(this.received, segment, 'reset by the caller')
    if (segment.flags & SYN) return this.#fromCallerSyn(segment, source, timeMs)
    if (!(segment.flags & ACK)) return live
    if (this.sent.next === undefined) return { is: 'gap', reason: "gap: the pod's SYN was not captured" }
    if (this.received.next === undefined) this.#accept(this.#proposal!.seq + 1)
    this.#open()
    if (segment.capturedBytes < segment.payloadBytes) return gap(segment.payloadBytes - segment.capturedBytes)
    return this.#exchange(this.sent, this.received, segment, source, timeMs)
  }

  fromPod(segment: Segment, source: Uint8Array, timeMs: number): Outcome {
    if (segment.flags & RST) return this.#reset(this.sent, segment, 'reset by the pod')
    if (segment.flags & SYN) {
      if (segment.flags & ACK && this.#takesRival(segment.ack)) return { is: 'replaced', by: this.#rival! }
      if (this.sent.next === undefined) this.sent.start(segment.seq + 1)
      if (!(segment.flags & ACK)) return live
      if (this.received.next === undefined) this.#accept(segment.ack)
    }
    return this.#exchange(this.received, this.sent, segment, source, timeMs)
  }

  /** Ends what is still open of both directions. */
  reset(reason: string): void {
    if (this.opened && !this.received.ended) this.sink.reset(this.#stream(0), reason)
    if (this.opened && this.options.answers && !this.sent.ended) this.sink.reset(this.#stream(1), reason)
    this.bury()
  }

  bury(): void {
    this.over = true
    this.received.drop()
    this.sent.drop()
  }

  #stream(half: 0 | 1): number {
    return this.options.number * 2 + half
  }

  /** The acknowledgement first: it is about what went the other way before. */
  #exchange(
    acknowledged: Reassembly,
    carried: Reassembly,
    segment: Segment,
    source: Uint8Array,
    timeMs: number,
  ): Outcome {
    const missing = segment.flags & ACK ? acknowledged.missingBefore(segment.ack) : 0
    if (missing > 0) return gap(missing)
    const fin = (segment.flags & FIN) !== 0
    if (segment.payloadBytes > 0 || fin) {
      const from = segment.payloadAt
      const captured = carried === this.sent && !this.options.answers ? 0 : segment.capturedBytes
      const seq = segment.flags & SYN ? segment.seq + 1 : segment.seq
      const to = from + captured
      const fault = carried.push({ seq, length: segment.payloadBytes, source, from, to, fin, timeMs })
      if (fault !== undefined) return { is: 'gap', reason: fault }
    }
    return this.received.ended && this.sent.ended ? done : live
  }

  #fromCallerSyn(segment: Segment, source: Uint8Array, timeMs: number): Outcome {
    if (segment.flags & ACK || segment.seq === this.#proposal?.seq) return live
    const bytes = source.slice(segment.payloadAt, segment.payloadAt + segment.capturedBytes)
    const proposal = { seq: segment.seq, bytes, atMs: timeMs }
    if (this.received.next === undefined) this.propose(proposal)
    else this.#rival = proposal
    return live
  }

  #takesRival(ack: number): boolean {
    if (this.#rival === undefined || ack === this.received.next) return false
    const taken = distance(this.#rival.seq + 1, ack)
    return taken >= 0 && taken <= this.#rival.bytes.length
  }

  /** The pod took the SYN, and of its data what it acknowledges; the rest will be sent again. */
  #accept(ack: number): void {
    const { seq, bytes, atMs } = this.#proposal!
    const taken = distance(seq + 1, ack)
    if (taken < 0 || taken > bytes.length) return
    this.received.start(seq + 1)
    if (taken > 0)
      this.received.push({
        seq: (seq + 1) >>> 0,
        length: taken,
        source: bytes,
        from: 0,
        to: taken,
        fin: false,
        timeMs: atMs,
      })
  }

  /**
   * Its data is for people, not part of the stream. One that lies before the next byte is stale, and the receiver ignores it. Before the
   * handshake the pod's refusal carries no number of its own.
   */
  #reset(half: Reassembly, segment: Segment, reason: string): Outcome {
    const stale = half.next !== undefined && distance(half.next, segment.seq) < 0
    return stale ? live : { is: 'gone', reason }
  }

  #open(): void {
    if (this.opened) return
    this.opened = true
    const { caller, pod, number, prefix } = this.options
    const facts = { connection: `${prefix}${number}`, caller, pod, at: this.#atMs, joined: this.#joined }
    this.sink.opened(this.#stream(0), { ...facts, direction: 'received' })
    if (this.options.answers) this.sink.opened(this.#stream(1), { ...facts, direction: 'sent' })
  }

  #sinkOf(half: 0 | 1): OrderedSink {
    const stream = this.#stream(half)
    const silent = half === 1 && !this.options.answers
    return {
      data: (source, from, to, timeMs) => {
        this.#open()
        if (!silent) this.sink.data(stream, source, from, to, timeMs)
      },
      skipped: (bytes, timeMs) => {
        this.#open()
        if (!silent) this.sink.skipped(stream, bytes, timeMs)
      },
      end: () => {
        this.#open()
        if (!silent) this.sink.end(stream)
      },
    }
  }
}

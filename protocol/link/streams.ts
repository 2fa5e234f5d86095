// All streams of one endpoint: opening, taking frames for them, and whose turn it is to send.
import { Failure } from '../errors.ts'
import { type Frame, frameFlag, frameType } from './frame.ts'
import type { LinkStream } from './link-stream.ts'
import { creditBytes, creditOf, dataOf, type FrameBody, jsonBytes, parseJson, reasonOf } from './payload.ts'
import { Stream } from './stream.ts'
import { Turns } from './turns.ts'
import { WindowBudget } from './window.ts'

export type StreamsOptions = {
  /** 2 at the agent, 1 at the server; both go on in steps of two. */
  firstId: number
  onOpen(stream: LinkStream, payload: unknown): void
  /** `next` has something to give. */
  onWork(): void
}

export class Streams {
  readonly #options: StreamsOptions
  readonly #streams = new Map<number, Stream>()
  /** Frames that don't wait for their stream's turn. */
  #urgent: FrameBody[] = []
  /** Streams with a grant to tell, and streams with data to send, in the order of their turns. */
  readonly #granting = new Turns('toGrant')
  readonly #ready = new Turns('toSend')
  readonly #budget = new WindowBudget()
  #nextId: number
  #theirNextId: number

  constructor(options: StreamsOptions) {
    this.#options = options
    this.#nextId = options.firstId
    this.#theirNextId = options.firstId === 1 ? 2 : 1
  }

  open(payload: Buffer, oneWay: boolean): LinkStream {
    const id = this.#nextId
    this.#nextId += 2
    const stream = this.#add(id, oneWay, { payload, oneWay })
    if (oneWay) stream.receiving.drop()
    this.#sends(stream)
    return stream
  }

  /** Acts on an open, data, credit, end or reset frame. Throws `frame-invalid`. */
  take(frame: Frame): void {
    const stream = this.#streams.get(frame.stream)
    if (frame.type === frameType.open) this.#accept(frame)
    else if (stream === undefined) this.#takeForgotten(frame)
    else this.#takeFor(stream, frame)
  }

  /** The next frame to send, fair between the streams; undefined when no stream has something that may be sent. */
  next(): FrameBody | undefined {
    return this.#urgent.shift() ?? this.#nextGrant() ?? this.#nextOfStreams()
  }

  /** Ends every stream with a reason and drops what would be sent. */
  close(reason: string): void {
    const streams = [...this.#streams.values()]
    for (const stream of streams) this.#forget(stream)
    this.#urgent = []
    for (const stream of streams) stream.lost(reason)
  }

  /** What is one way is a copy of the pod's traffic, which may be lost and shall not take memory; its window stays small. */
  #add(id: number, oneWay: boolean, opening?: { payload: Buffer; oneWay: boolean }): Stream {
    const owner = {
      sends: () => this.#sends(stream),
      grants: () => this.#grants(stream),
      resets: (reason: string) => this.#resets(stream, reason),
    }
    const stream: Stream = new Stream(id, opening, owner, oneWay ? undefined : this.#budget)
    this.#streams.set(id, stream)
    return stream
  }

  #accept({ stream: id, flags, payload }: Frame): void {
    // Opens keep their order, though some ids may have been given up before they were sent.
    if (id % 2 !== this.#theirNextId % 2 || id < this.#theirNextId)
      throw new Failure('frame-invalid', { reason: `an open of stream ${id}` })
    this.#theirNextId = id + 2
    const value = parseJson(payload)
    const oneWay = (flags & frameFlag.oneWay) !== 0
    const stream = this.#add(id, oneWay)
    if (oneWay) stream.sending.drop()
    this.#options.onOpen(stream, value)
  }

  #takeFor(stream: Stream, frame: Frame): void {
    switch (frame.type) {
      case frameType.data:
        this.#takeData(stream, frame)
        break
      case frameType.credit:
        stream.sending.addCredit(creditOf(frame.payload))
        this.#sends(stream)
        break
      case frameType.end:
        stream.receiving.end()
        this.#forgetIfDone(stream)
        break
      default:
        this.#forget(stream)
        stream.lost(reasonOf(frame.payload))
    }
  }

  #takeData(stream: Stream, frame: Frame): void {
    const data = dataOf(frame)
    const fits = stream.receiving.data(data, frame.payload.length - data.bytes.length)
    if (fits) return
    const reason = stream.receiving.ended ? 'data after the end' : 'more data than was granted'
    this.#resets(stream, reason)
    stream.lost(reason)
  }

  /** What was on its way when the stream was reset is dropped; its sender has forgotten it, or will with our reset. */
  #takeForgotten({ stream: id }: Frame): void {
    const known = id % 2 === this.#nextId % 2 ? id < this.#nextId : id < this.#theirNextId
    if (!known || id === 0) throw new Failure('frame-invalid', { reason: `stream ${id} was never opened` })
  }

  #sends(stream: Stream): void {
    if (!this.#streams.has(stream.id) || !stream.sending.ready) return
    this.#ready.add(stream)
    this.#options.onWork()
  }

  #grants(stream: Stream): void {
    if (!this.#streams.has(stream.id)) return
    this.#granting.add(stream)
    this.#options.onWork()
  }

  #resets(stream: Stream, reason: string): void {
    if (!this.#streams.has(stream.id)) return
    const told = !stream.sending.unopened
    this.#forget(stream)
    if (!told) return
    const payload = jsonBytes({ reason })
    this.#urgent.push({ type: frameType.reset, flags: 0, stream: stream.id, payload })
    this.#options.onWork()
  }

  #nextGrant(): FrameBody | undefined {
    for (let stream = this.#granting.next(); stream !== undefined; stream = this.#granting.next()) {
      const bytes = stream.receiving.takeGrant()
      if (bytes > 0)
        return { type: frameType.credit, flags: 0, stream: stream.id, payload: creditBytes(bytes) }
    }
    return undefined
  }

  #nextOfStreams(): FrameBody | undefined {
    for (let stream = this.#ready.next(); stream !== undefined; stream = this.#ready.next()) {
      const body = stream.sending.take()
      if (body === undefined) continue
      if (stream.sending.ready) this.#ready.add(stream)
      this.#forgetIfDone(stream)
      stream.drained()
      return body
    }
    return undefined
  }

  #forgetIfDone(stream: Stream): void {
    if (stream.sending.ended && stream.receiving.ended) this.#forget(stream)
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream.id)
  }
}

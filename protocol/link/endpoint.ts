// One end of the link, without any I/O of its own: sequence numbers, resending, credit, streams; the same at server and agent.
//
// What is sent waits in three places. A stream's queue holds what has no credit or no turn yet; its owner sees `queuedBytes` and decides
// when to give up. The outbox holds up to 16 MiB of sequenced frames until the other end acknowledges them. The carrier buffers about
// 256 KiB. What is received waits only in streams whose reader is slow, bounded by the credit of each, so the carrier is always read.
// Control frames go before what waits in streams; the opens of streams keep their order.
import type { Duplex } from 'node:stream'
import { Failure } from '../errors.ts'
import { AckClock } from './ack-clock.ts'
import { Carrier } from './carrier.ts'
import { encodeFrame, type Frame, frameType, resendBytes } from './frame.ts'
import { Heartbeat } from './heartbeat.ts'
import type { LinkStream } from './link-stream.ts'
import { Outbox } from './outbox.ts'
import { jsonBytes, parseJson, sequenceBytes, sequenceOf } from './payload.ts'
import { Streams } from './streams.ts'

export type OpenOptions = {
  /** Only the opener sends: the other direction is ended from the start, at both ends. */
  oneWay?: boolean
}

export type EndpointOptions = {
  role: 'server' | 'agent'
  /** A control frame's JSON, not yet checked. */
  onControl(value: unknown): void
  /** The other end opened a stream; `payload` is its JSON, not yet checked. */
  onOpen(stream: LinkStream, payload: unknown): void
  /** The carrier broke, was silent for too long or sent a wrong frame: it is detached, everything unacknowledged is kept. */
  onDetached(reason: string): void
  /** A ping is sent after so long without hearing anything; 5,000 if not given. Two of them and 1 s of silence detach the carrier. */
  heartbeatMs?: number
  /** What is kept for sending again; `resendBytes` of frame.ts if not given. */
  resendBytes?: number
}

/** See the file's head. `attach` takes a carrier whose hellos are done; `otherReceived` is what the other end's hello said. */
export type Endpoint = {
  readonly received: bigint
  readonly attached: boolean
  /** Replaces the carrier, if there is one, without `onDetached`. Throws `link-refused` when the other end's count cannot be resumed from. */
  attach(carrier: Duplex, otherReceived: bigint): void
  /** Lets the carrier go and calls `onDetached`. */
  detach(reason: string): void
  /** Throws `frame-too-large`, or `link-full` when far more than `resendBytes` wait for the other end. Does nothing after `close`. */
  control(value: object): void
  /** Throws `frame-too-large`. After `close` the stream is reset at once. */
  open(payload: object, options?: OpenOptions): LinkStream
  /** Ends all streams with the reason, detaches, and sends nothing any more. */
  close(reason: string): void
}

/** Control is refused when this many times `resendBytes` wait: nobody could ever want that much said to an end that does not answer. */
const hardBoundFactor = 2

export function createEndpoint(options: EndpointOptions): Endpoint {
  return new LinkEndpoint(options)
}

class LinkEndpoint implements Endpoint {
  readonly #options: EndpointOptions
  readonly #outbox: Outbox
  readonly #streams: Streams
  readonly #acks: AckClock
  readonly #heartbeat: Heartbeat
  #carrier: Carrier | undefined
  /** Frames of this carrier alone, which are sent before everything else. */
  #ackDue = false
  #pingDue = false
  #pong: Buffer | undefined
  #received = 0
  #pumpScheduled = false
  #closed: string | undefined

  constructor(options: EndpointOptions) {
    const keptBytes = options.resendBytes ?? resendBytes
    this.#options = options
    this.#outbox = new Outbox(keptBytes)
    this.#streams = new Streams({
      firstId: options.role === 'agent' ? 2 : 1,
      onOpen: (stream, payload) => options.onOpen(stream, payload),
      onWork: () => this.#schedulePump(),
    })
    this.#acks = new AckClock(keptBytes, () => {
      this.#ackDue = true
      this.#schedulePump()
    })
    this.#heartbeat = new Heartbeat(options.heartbeatMs ?? 5_000, {
      ping: () => {
        this.#pingDue = true
        this.#schedulePump()
      },
      silent: seconds => this.detach(`silent for ${seconds} s`),
    })
  }

  get received(): bigint {
    return BigInt(this.#received)
  }

  get attached(): boolean {
    return this.#carrier !== undefined
  }

  attach(duplex: Duplex, otherReceived: bigint): void {
    if (this.#closed !== undefined)
      throw new Failure('link-refused', { reason: `it is closed (${this.#closed})` })
    if (!this.#outbox.acknowledge(Number(otherReceived))) {
      const reason = `the other end has received ${otherReceived} frames, which does not fit the ${this.#outbox.sequence} sent`
      throw new Failure('link-refused', { reason })
    }
    this.#release()
    this.#outbox.rewind()
    const carrier: Carrier = new Carrier(duplex, {
      heard: () => this.#heartbeat.heard(),
      frame: frame => this.#take(frame),
      lost: reason => this.#lose(reason),
      writable: () => this.#schedulePump(),
    })
    this.#carrier = carrier
    // The other end learns at once that its hello was accepted, and what has come since ours was written.
    this.#ackDue = true
    this.#heartbeat.start()
    carrier.start()
    this.#schedulePump()
  }

  detach(reason: string): void {
    if (this.#carrier !== undefined) this.#lose(reason)
  }

  control(value: object): void {
    if (this.#closed !== undefined) return
    const payload = jsonBytes(value)
    if (this.#outbox.bytes + payload.length > hardBoundFactor * this.#outbox.limitBytes)
      throw new Failure('link-full', { bytes: this.#outbox.bytes })
    this.#outbox.append({ type: frameType.control, flags: 0, stream: 0, payload })
    this.#schedulePump()
  }

  open(payload: object, { oneWay = false }: OpenOptions = {}): LinkStream {
    const stream = this.#streams.open(jsonBytes(payload), oneWay)
    if (this.#closed !== undefined) this.#streams.close(this.#closed)
    return stream
  }

  close(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#release()
    this.#outbox.clear()
    this.#streams.close(reason)
  }

  #lose(reason: string): void {
    this.#release()
    this.#options.onDetached(reason)
  }

  #release(): void {
    this.#carrier?.close()
    this.#carrier = undefined
    this.#ackDue = false
    this.#pingDue = false
    this.#pong = undefined
    this.#acks.stop()
    this.#heartbeat.stop()
  }

  #schedulePump(): void {
    if (this.#pumpScheduled || this.#carrier === undefined) return
    this.#pumpScheduled = true
    queueMicrotask(() => {
      this.#pumpScheduled = false
      this.#pump()
    })
  }

  /** Writes until the carrier is full or nothing is left, in one system call where it can be. */
  #pump(): void {
    const carrier = this.#carrier
    if (carrier === undefined) return
    carrier.writeTogether(() => (this.#carrier === carrier ? this.#nextBytes() : undefined))
  }

  #nextBytes(): Buffer | undefined {
    const own = this.#nextOfCarrier()
    if (own !== undefined) return own
    if (!this.#outbox.hasUnsent) {
      if (this.#outbox.full) return undefined
      const body = this.#streams.next()
      if (body === undefined) return undefined
      this.#outbox.append(body)
    }
    return this.#outbox.take()
  }

  #nextOfCarrier(): Buffer | undefined {
    if (this.#ackDue) {
      this.#ackDue = false
      this.#acks.sent()
      return ofCarrier(frameType.ack, sequenceBytes(this.#received))
    }
    if (this.#pong !== undefined) {
      const payload = this.#pong
      this.#pong = undefined
      return ofCarrier(frameType.pong, payload)
    }
    if (!this.#pingDue) return undefined
    this.#pingDue = false
    return ofCarrier(frameType.ping, Buffer.alloc(8))
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case frameType.ack:
        this.#takeAck(frame)
        break
      case frameType.ping:
        this.#pong = Buffer.from(frame.payload)
        this.#schedulePump()
        break
      case frameType.pong:
        break
      case frameType.hello:
        throw new Failure('frame-invalid', { reason: 'a hello after the first frame' })
      default:
        this.#takeSequenced(frame)
    }
  }

  #takeAck(frame: Frame): void {
    const sequence = sequenceOf(frame.payload)
    // An ack that is older than the hello's count is late, not wrong.
    if (sequence <= this.#outbox.acknowledged) return
    if (!this.#outbox.acknowledge(sequence))
      throw new Failure('frame-invalid', { reason: `an ack of ${sequence}, which was never sent` })
    this.#schedulePump()
  }

  #takeSequenced(frame: Frame): void {
    const sequence = Number(frame.sequence)
    if (sequence === 0) throw new Failure('frame-invalid', { reason: `type ${frame.type} has no sequence` })
    if (sequence <= this.#received) return
    if (sequence !== this.#received + 1)
      throw new Failure('frame-invalid', {
        reason: `sequence ${sequence} came after ${this.#received}`,
      })
    // Before it is acted on: a frame that cannot be understood must not come again with every resumption.
    this.#received = sequence
    this.#acks.received(frame.payload.length)
    if (frame.type === frameType.control) this.#options.onControl(parseJson(frame.payload))
    else this.#streams.take(frame)
  }
}

function ofCarrier(type: Frame['type'], payload: Buffer): Buffer {
  return encodeFrame({ type, flags: 0, stream: 0, sequence: 0n, payload })
}

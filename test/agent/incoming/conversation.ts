// A scripted connection as the capture sees it: hand-made packets go in, and what came out of both streams is written down.

import type { CaptureSink } from '../../../agent/incoming/connection.ts'
import { Follower, type FollowOptions } from '../../../agent/incoming/follow.ts'
import type { Subscription } from '../../../agent/incoming/subscription.ts'
import type { Opened } from '../../../protocol/agent/control.ts'
import { ACK, makePacket, type PacketParts, SYN } from './packets.ts'

/** What one stream came to: bytes as text (a skipped run as "<n>"), and how it ended. */
export type Recorded = { opened: Opened; text: string; end: string | undefined }

export class RecordingSink implements CaptureSink {
  ready = true
  readonly streams: Recorded[] = []
  readonly #byNumber = new Map<number, Recorded>()
  opened(stream: number, opened: Opened): void {
    if (this.#byNumber.has(stream)) throw new Error(`stream ${stream} was opened twice`)
    const recorded = { opened, text: '', end: undefined }
    this.#byNumber.set(stream, recorded)
    this.streams.push(recorded)
  }
  data(stream: number, source: Uint8Array, from: number, to: number): void {
    this.#live(stream).text += Buffer.from(source.subarray(from, to)).toString('latin1')
  }
  skipped(stream: number, bytes: number): void {
    this.#live(stream).text += `<${bytes}>`
  }
  end(stream: number): void {
    this.#live(stream).end = 'end'
  }
  reset(stream: number, reason: string): void {
    this.#live(stream).end = reason
  }
  #live(stream: number): Recorded {
    const recorded = this.#byNumber.get(stream)
    if (recorded === undefined) throw new Error(`stream ${stream} was never opened`)
    if (recorded.end !== undefined) throw new Error(`stream ${stream} ended before (${recorded.end})`)
    return recorded
  }
}

export type Sent = {
  /** Offset of the payload in the stream; 0 is the first byte. */
  at?: number
  text?: string
  flags?: number
  /** Offset up to which the other direction is acknowledged; all that was sent in order if it is not said. */
  ack?: number
  /** The number of captured bytes of the packet, if it was cut. */
  snap?: number
  checksumKnown?: boolean
  damaged?: boolean
} & Pick<PacketParts, 'inlineTags' | 'hopByHop'>

export type Ends = { caller: { address: string; port: number }; pod: { address: string; port: number } }
export const ends: Ends = {
  caller: { address: '10.0.0.9', port: 40000 },
  pod: { address: '10.0.0.1', port: 8080 },
}

/** Several conversations may share one follower. */
export class Capturing {
  readonly sink = new RecordingSink()
  readonly follower: Follower
  constructor(options: Partial<FollowOptions> = {}, subscription: Partial<Subscription> = {}) {
    this.follower = new Follower(this.sink, { prefix: '', ...options })
    this.follower.subscribe({ ports: [8080], answers: 'all', loopbackOnly: false, ...subscription })
  }
  get received(): Recorded | undefined {
    return this.sink.streams.findLast(stream => stream.opened.direction === 'received')
  }
  get sent(): Recorded | undefined {
    return this.sink.streams.findLast(stream => stream.opened.direction === 'sent')
  }
}

/** Speaks in offsets; `callerIsn` and `podIsn` are the initial sequence numbers. */
export class Conversation {
  #callerNext = 0
  #podNext = 0
  constructor(
    readonly capturing: Capturing,
    readonly isns = { caller: 1000, pod: 5000 },
    readonly between: Ends = ends,
    readonly device = 2,
  ) {}

  handshake(): this {
    this.caller({ flags: SYN, at: -1, ack: 0 })
    this.pod({ flags: SYN | ACK, at: -1 })
    return this.caller({})
  }

  caller(sent: Sent): this {
    const at = sent.at ?? this.#callerNext
    this.#packet(sent, true, this.isns.caller + 1 + at, this.isns.pod + 1 + (sent.ack ?? this.#podNext))
    this.#callerNext = Math.max(this.#callerNext, at + (sent.text?.length ?? 0) + ((sent.flags ?? 0) & 1))
    return this
  }

  pod(sent: Sent): this {
    const at = sent.at ?? this.#podNext
    this.#packet(sent, false, this.isns.pod + 1 + at, this.isns.caller + 1 + (sent.ack ?? this.#callerNext))
    this.#podNext = Math.max(this.#podNext, at + (sent.text?.length ?? 0) + ((sent.flags ?? 0) & 1))
    return this
  }

  #packet(sent: Sent, toPod: boolean, seq: number, ack: number): void {
    const { caller, pod } = this.between
    const [from, to] = toPod ? [caller, pod] : [pod, caller]
    const { text = '', flags = ACK, inlineTags = 0, hopByHop = false } = sent
    const payload = Buffer.from(text, 'latin1')
    const { bytes, protocol } = makePacket({ from, to, seq, ack, flags, payload, inlineTags, hopByHop })
    if (sent.damaged) bytes[bytes.length - 1]! ^= 1
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.capturing.follower.packet(view, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), {
      at: 0,
      capturedBytes: Math.min(bytes.length, sent.snap ?? bytes.length),
      wireBytes: bytes.length,
      protocol,
      interfaceIndex: this.device,
      packetType: toPod || this.device === 1 ? 0 : 4,
      checksumKnown: sent.checksumKnown ?? false,
      timeMs: 1.5,
    })
  }
}

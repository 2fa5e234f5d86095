// One end of the link, without any I/O of its own: sequence numbers, resending, credit, streams; the same at server and agent.
import type { Duplex } from 'node:stream'

/** What a data frame brought: `timeMs` is the time of capture, `skipped` the bytes that passed and were not captured on purpose. */
export type StreamData = { bytes: Buffer; timeMs?: number; skipped?: number }

export type StreamEvents = {
  data(data: StreamData): void
  end(): void
  reset(reason: string): void
}

/** A stream of the link. The opener's and the other end's are alike; each direction has its own credit and its own end. */
export type LinkStream = {
  readonly id: number
  /** Bytes that were written and wait for credit or for the link. */
  readonly queuedBytes: number
  /** Where what arrives goes; until it is set, arriving data waits (within the credit). Data must be granted back with `grant`. */
  events: StreamEvents | undefined
  write(data: StreamData): void
  end(): void
  reset(reason: string): void
  /** The reader has consumed so many bytes: the other end may send as many more. */
  grant(bytes: number): void
}

export type EndpointOptions = {
  role: 'server' | 'agent'
  /** A control frame's JSON, not yet checked. */
  onControl(value: unknown): void
  /** The other end opened a stream; `payload` is its JSON, not yet checked. */
  onOpen(stream: LinkStream, payload: unknown): void
  /** The carrier broke, was silent for too long or sent a wrong frame: it is detached, everything unacknowledged is kept. */
  onDetached(reason: string): void
}

/** See the file's head. `attach` takes a carrier whose hellos are done; `otherReceived` is what the other end's hello said. */
export type Endpoint = {
  readonly received: bigint
  readonly attached: boolean
  attach(carrier: Duplex, otherReceived: bigint): void
  detach(reason: string): void
  control(value: object): void
  open(payload: object): LinkStream
  /** Ends all streams with the reason, detaches, and sends nothing any more. */
  close(reason: string): void
}

// The frames of the link between server and agent: their layout, drawn beside the constants, and the bytes.
//
//   0        4      5       6        8        12                20
//   +--------+------+-------+--------+--------+-----------------+----------
//   | length | type | flags | zero   | stream | sequence        | payload
//   +--------+------+-------+--------+--------+-----------------+----------
//     u32      u8     u8      u16      u32      u64               length - 16 bytes
//
// All numbers are big-endian. `length` counts the bytes after itself. `sequence` counts the frames of one direction from 1;
// it is 0 for the frames that belong to one connection of the link and are never sent again (hello, ack, ping, pong).
import { Failure } from '../errors.ts'

export const frameType = {
  /** First frame each way: JSON `hello` of link/hello.ts. */
  hello: 1,
  /** Payload u64: the highest sequence received in order. */
  ack: 2,
  /** Payload 8 bytes, which the pong repeats. */
  ping: 3,
  pong: 4,
  /** JSON of agent/control.ts; stream 0. */
  control: 5,
  /** JSON of agent/control.ts `opened`: begins a stream. The agent's stream ids are even, the server's odd. */
  open: 6,
  /** Bytes of a stream, changed by `frameFlag`. */
  data: 7,
  /** Payload u32: so many more bytes of data may be sent on the stream. Each stream begins with `initialCreditBytes`. */
  credit: 8,
  /** No more data in this direction (the sender's half of the stream is closed). */
  end: 9,
  /**
   * JSON `{reason}`: the stream ended in both directions, and what was on its way is lost. With stream and sequence 0 it refuses the
   * link itself: the agent answers a wrong hello with it, and a right one with an ack.
   */
  reset: 10,
} as const
export type FrameType = (typeof frameType)[keyof typeof frameType]

export const frameFlag = {
  /** data: the payload begins with an f64, the time of capture in milliseconds since the Unix epoch. */
  timed: 1,
  /** data: after the time, if any, comes a u32: so many bytes passed here that were not captured on purpose. */
  skipped: 2,
  /** open: only the opener sends; the other direction is ended from the start. */
  oneWay: 4,
} as const

export type Frame = { type: FrameType; flags: number; stream: number; sequence: bigint; payload: Buffer }

export const headerBytes = 20
/** The largest payload of a frame; larger ones are refused before they are read. */
export const maxPayloadBytes = 1 << 20
/** What a stream may carry, in bytes of data frames' payloads, before its receiver grants more. */
export const initialCreditBytes = 256 << 10
/** What one side keeps for sending again; when it is full, nothing more is sent until an ack comes. */
export const resendBytes = 16 << 20

const knownTypes: ReadonlySet<number> = new Set(Object.values(frameType))

/** The bytes of a frame, in memory that `take` gives; `prefix` is the beginning of its payload, given apart so that the rest is copied once. */
export function encodeFrame(
  { type, flags, stream, sequence, payload }: Frame,
  prefix?: Buffer,
  take: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const payloadBytes = (prefix?.length ?? 0) + payload.length
  const bytes = take(headerBytes + payloadBytes)
  bytes.writeUInt32BE(headerBytes - 4 + payloadBytes, 0)
  bytes.writeUInt8(type, 4)
  bytes.writeUInt8(flags, 5)
  bytes.writeUInt16BE(0, 6)
  bytes.writeUInt32BE(stream, 8)
  bytes.writeBigUInt64BE(sequence, 12)
  prefix?.copy(bytes, headerBytes)
  payload.copy(bytes, bytes.length - payload.length)
  return bytes
}

/** Cuts frames from a byte stream, however it arrives in pieces. Throws `frame-invalid`; the link must then be closed. */
export class FrameReader {
  #pending: Buffer[] = []
  #pendingBytes = 0

  /** The frames that are complete with this chunk. Payloads share the chunk's memory where they lie in one chunk. */
  read(chunk: Buffer): Frame[] {
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    const frames: Frame[] = []
    for (
      let wanted = this.#wanted();
      wanted !== undefined && this.#pendingBytes >= wanted;
      wanted = this.#wanted()
    )
      frames.push(decodeFrame(this.#take(wanted)))
    return frames
  }

  /** Bytes of the frame that begins the pending ones, when its length is there. */
  #wanted(): number | undefined {
    if (this.#pendingBytes < 4) return undefined
    if (this.#pending[0]!.length < 4) this.#pending = [Buffer.concat(this.#pending)]
    const length = this.#pending[0]!.readUInt32BE(0)
    if (length < headerBytes - 4 || length > headerBytes - 4 + maxPayloadBytes) {
      throw new Failure('frame-invalid', { reason: `a length of ${length} bytes` })
    }
    return 4 + length
  }

  /** So many of the pending bytes, of which there are enough; what follows them in the last chunk stays where it is. */
  #take(bytes: number): Buffer {
    // Chunks are read as soon as they come, so the frame ends in the last one.
    const last = this.#pending.at(-1)!
    const whole = this.#pending.length === 1 ? last.subarray(0, bytes) : Buffer.concat(this.#pending, bytes)
    this.#pendingBytes -= bytes
    this.#pending = this.#pendingBytes === 0 ? [] : [last.subarray(last.length - this.#pendingBytes)]
    return whole
  }
}

function decodeFrame(bytes: Buffer): Frame {
  const type = bytes.readUInt8(4)
  if (!knownTypes.has(type)) throw new Failure('frame-invalid', { reason: `type ${type} is unknown` })
  if (bytes.readUInt16BE(6) !== 0)
    throw new Failure('frame-invalid', { reason: 'reserved bytes are not zero' })
  return {
    type: type as FrameType,
    flags: bytes.readUInt8(5),
    stream: bytes.readUInt32BE(8),
    sequence: bytes.readBigUInt64BE(12),
    payload: bytes.subarray(headerBytes),
  }
}

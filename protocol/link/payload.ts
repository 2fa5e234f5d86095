// What the payloads of frames hold, to bytes and back: JSON, counts, and the data of streams.
//
//   data frame's payload:   [f64 time, if frameFlag.timed] [u32 skipped, if frameFlag.skipped] bytes
import { Failure } from '../errors.ts'
import { type Frame, frameFlag, maxPayloadBytes } from './frame.ts'
import type { StreamData } from './link-stream.ts'

/** A frame that has no sequence yet. `prefix` goes before the payload's bytes. */
export type FrameBody = Omit<Frame, 'sequence'> & { prefix?: Buffer }

/** The JSON of a value. Throws `frame-too-large`. */
export function jsonBytes(value: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(value))
  if (bytes.length > maxPayloadBytes)
    throw new Failure('frame-too-large', { bytes: bytes.length, limit: maxPayloadBytes })
  return bytes
}

/** The value of a JSON payload. Throws `frame-invalid`. */
export function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch (error) {
    throw new Failure('frame-invalid', { reason: 'its payload is not JSON' }, { cause: error })
  }
}

/** Why a reset came; a payload that can't be read is still a reset. */
export function reasonOf(payload: Buffer): string {
  try {
    const value = parseJson(payload) as { reason?: unknown } | null
    return typeof value?.reason === 'string' ? value.reason.slice(0, maxReasonChars) : unknownReason
  } catch {
    return unknownReason
  }
}

const maxReasonChars = 1_000
const unknownReason = 'for a reason that was not given'

export function sequenceBytes(sequence: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(BigInt(sequence))
  return bytes
}

/** The u64 of an ack. Throws `frame-invalid`. */
export function sequenceOf(payload: Buffer): number {
  if (payload.length !== 8) throw wrongLength('an ack', payload)
  return Number(payload.readBigUInt64BE())
}

export function creditBytes(bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt32BE(bytes)
  return payload
}

/** The u32 of a credit frame. Throws `frame-invalid`. */
export function creditOf(payload: Buffer): number {
  if (payload.length !== 4) throw wrongLength('a credit', payload)
  return payload.readUInt32BE()
}

/** What stands before the bytes of a data frame, and the flags that say so. */
export function dataPrefix({ timeMs, skipped }: Omit<StreamData, 'bytes'>): {
  flags: number
  prefix: Buffer
} {
  const timed = timeMs !== undefined
  const prefix = Buffer.allocUnsafe(prefixBytes({ timeMs, skipped }))
  if (timed) prefix.writeDoubleBE(timeMs, 0)
  if (skipped !== undefined) prefix.writeUInt32BE(skipped, timed ? 8 : 0)
  const flags = (timed ? frameFlag.timed : 0) | (skipped !== undefined ? frameFlag.skipped : 0)
  return { flags, prefix }
}

export function prefixBytes(data: { timeMs?: number | undefined; skipped?: number | undefined }): number {
  return (data.timeMs === undefined ? 0 : 8) + (data.skipped === undefined ? 0 : 4)
}

/** The content of a data frame; the bytes share the payload's memory. Throws `frame-invalid`. */
export function dataOf({ flags, payload }: Pick<Frame, 'flags' | 'payload'>): StreamData {
  if ((flags & (frameFlag.timed | frameFlag.skipped)) === 0) return { bytes: payload }
  const timed = (flags & frameFlag.timed) !== 0
  const skips = (flags & frameFlag.skipped) !== 0
  const length = (timed ? 8 : 0) + (skips ? 4 : 0)
  if (payload.length < length) throw wrongLength('data', payload)
  return {
    bytes: payload.subarray(length),
    ...(timed ? { timeMs: payload.readDoubleBE(0) } : {}),
    ...(skips ? { skipped: payload.readUInt32BE(timed ? 8 : 0) } : {}),
  }
}

function wrongLength(what: string, payload: Buffer): Failure {
  return new Failure('frame-invalid', { reason: `${what} of ${payload.length} bytes` })
}

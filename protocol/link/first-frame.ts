// The first frames of a connection, before it carries the link: reading one with a deadline, and refusing.
import type { Duplex } from 'node:stream'
import { Failure } from '../errors.ts'
import { encodeFrame, type Frame, FrameReader, frameType, headerBytes } from './frame.ts'
import { jsonBytes } from './payload.ts'

/** A greeting is short: whoever has not proved who it is makes us hold no more than this. */
export const greetingBytes = 4 << 10

/**
 * Reads one frame and leaves the rest, paused, for the next reader. Fails with `frame-invalid` for what is no short frame, and with
 * `link-refused` when the connection ends or the time is over. Errors of the connection are swallowed from then on until `Carrier` has it.
 */
export function readFirstFrame(duplex: Duplex, timeoutMs: number, signal?: AbortSignal): Promise<Frame> {
  return new Promise((resolve, reject) => {
    let pending: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => fail(`nothing was said for ${timeoutMs} ms`), timeoutMs)
    const onData = (chunk: Buffer): void => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      try {
        const length = frameLength(pending)
        if (length === undefined || pending.length < length) return
        const [frame] = new FrameReader().read(pending.subarray(0, length))
        finish()
        duplex.pause()
        if (pending.length > length) duplex.unshift(pending.subarray(length))
        resolve(frame!)
      } catch (error) {
        finish()
        reject(error)
      }
    }
    const onEnd = (): void => fail('the other end closed the connection')
    const onError = (error: Error): void => fail(error.message)
    const onAbort = (): void => fail(String(signal?.reason))
    const finish = (): void => {
      clearTimeout(timer)
      duplex.off('data', onData).off('end', onEnd).off('close', onEnd)
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (reason: string): void => {
      finish()
      reject(new Failure('link-refused', { reason }))
    }
    duplex.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    else if (duplex.destroyed) onEnd()
    else duplex.resume()
  })
}

/** A frame that belongs to one connection: a hello, or the refusal of one. */
export function greetingFrame(type: 'hello' | 'reset', value: object): Buffer {
  return encodeFrame({
    type: frameType[type],
    flags: 0,
    stream: 0,
    sequence: 0n,
    payload: jsonBytes(value),
  })
}

/** The count in a hello, or undefined when it is none. */
export function receivedCount(text: string): bigint | undefined {
  return /^\d{1,16}$/.test(text) ? BigInt(text) : undefined
}

function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined
  const length = 4 + bytes.readUInt32BE(0)
  if (length < headerBytes || length > headerBytes + greetingBytes)
    throw new Failure('frame-invalid', { reason: `a first frame of ${length} bytes` })
  return length
}

// Messages of a Unix socket that keeps their boundaries (SOCK_SEQPACKET), as the bytes of a stream of the link, and of the relay's socket to the server.
//
//   0        4
//   +--------+---------
//   | length | message      one after the other; a message may be empty
//   +--------+---------
//     u32      big-endian
import { Failure } from '../errors.ts'

const headBytes = 4
/** More than a send buffer takes on most machines, 208 KiB by default (net.core.wmem_default). */
export const longestMessage = 16 << 20

/** Throws `frame-invalid` for a longer one. */
export function frameMessage(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(headBytes + message.length)
  framed.writeUInt32BE(checked(message.length), 0)
  message.copy(framed, headBytes)
  return framed
}

/** Finds the messages again, however their bytes are cut. */
export class Unframer {
  #pieces: Buffer[] = []
  #bytes = 0

  /** Whether a message has begun that is not complete. */
  get isWithin(): boolean {
    return this.#bytes > 0
  }

  /** The messages that are complete by now. Throws `frame-invalid` when one is longer than any. */
  push(bytes: Buffer): Buffer[] {
    if (bytes.length > 0) this.#pieces.push(bytes)
    this.#bytes += bytes.length
    const messages: Buffer[] = []
    for (;;) {
      const length = this.#bytes < headBytes ? undefined : checked(this.#head())
      if (length === undefined || this.#bytes < headBytes + length) return messages
      messages.push(this.#take(headBytes + length).subarray(headBytes))
    }
  }

  #head(): number {
    if (this.#pieces[0]!.length < headBytes) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0]!.readUInt32BE(0)
  }

  #take(count: number): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.#bytes -= count
    this.#pieces = this.#bytes === 0 ? [] : [all.subarray(count)]
    return all.subarray(0, count)
  }
}

function checked(length: number): number {
  if (length <= longestMessage) return length
  throw new Failure('frame-invalid', {
    reason: `a message of ${length} bytes is longer than ${longestMessage}`,
  })
}

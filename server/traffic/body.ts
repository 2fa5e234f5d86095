// The first bytes of a message's body: kept up to a bound, and written as text where they are text.
import { isUtf8 } from 'node:buffer'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'

export type Body = NonNullable<Extract<TrafficEvent, { event: 'request' }>['body']>
export type KeptBody = { bytes: Buffer; truncated: boolean }

/** Keeps copies: a piece shares memory with the link's whole frame. */
export class BodyKeeper {
  readonly #limitBytes: number
  readonly #pieces: Buffer[] = []
  #keptBytes = 0
  #totalBytes = 0
  /** What comes behind a hole would stand in the wrong place. */
  #hole = false

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  add(bytes: Buffer): void {
    this.#totalBytes += bytes.length
    const room = this.#hole ? 0 : this.#limitBytes - this.#keptBytes
    if (room <= 0) return
    const piece = Buffer.from(bytes.subarray(0, room))
    this.#pieces.push(piece)
    this.#keptBytes += piece.length
  }

  skip(bytes: number): void {
    this.#totalBytes += bytes
    this.#hole = true
  }

  /** What was kept; undefined when there is no body or none was asked for. */
  result(options: { whole: boolean }): KeptBody | undefined {
    if (this.#limitBytes === 0 || this.#totalBytes === 0) return undefined
    return {
      bytes: Buffer.concat(this.#pieces),
      truncated: !options.whole || this.#keptBytes < this.#totalBytes,
    }
  }
}

/** The body as the editor protocol writes it, at most `limitBytes` of it. */
export function writeBody({ bytes, truncated }: KeptBody, limitBytes: number): Body {
  const shown = bytes.subarray(0, limitBytes)
  const cut = truncated || shown.length < bytes.length
  const text = cut ? withoutPartOfCharacter(shown) : shown
  return isUtf8(text)
    ? { encoding: 'utf8', data: text.toString('utf8'), truncated: cut }
    : { encoding: 'base64', data: shown.toString('base64'), truncated: cut }
}

/** Leaves out the beginning of a UTF-8 character (1 to 3 bytes) that a cut left at the end. */
function withoutPartOfCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return wanted > back ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}

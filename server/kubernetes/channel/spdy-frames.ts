// Frames of SPDY/3.1 as bytes, as far as a port-forward needs them: two streams that we open, their data and ends, and pings.
//
//   control   1 (1 bit)   version 3 (15 bits)   type (16)   flags (8)   length (24)   then as the type says
//   data      0 (1 bit)   stream (31 bits)                  flags (8)   length (24)   bytes
//
//   SYN_STREAM  type 1   stream (32)   associated stream (32)   priority (8)   slot (8)   header block
//   SYN_REPLY   type 2   stream (32)   header block
//   RST_STREAM  type 3   stream (32)   status (32)
//   PING        type 6   id (32): odd is ours, even the other end's
//   GOAWAY      type 7   last stream (32)   status (32)
//
// All numbers are big endian. Source: the SPDY/3.1 specification, sections 2.2 and 2.6; the other end is github.com/moby/spdystream.

export const flagFin = 0x01
const controlBit = 0x8000
const version = 3
const headBytes = 8
/** Far more than anybody sends: the other end copies by 32 KiB. */
const longestBytes = 1 << 24

const controlType = { synStream: 1, synReply: 2, rstStream: 3, ping: 6 } as const

export type Frame =
  | { type: 'data'; stream: number; fin: boolean; bytes: Buffer }
  | { type: 'reply'; stream: number; fin: boolean }
  | { type: 'reset'; stream: number; status: number }
  | { type: 'ping'; id: number }
  | { type: 'other' }

export function encodeData(
  stream: number,
  chunks: readonly Buffer[],
  { flags = 0, take = Buffer.allocUnsafe }: { flags?: number; take?: (bytes: number) => Buffer } = {},
): Buffer {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const frame = take(headBytes + length)
  frame.writeUInt32BE(stream, 0)
  frame.writeUInt32BE(((flags << 24) | length) >>> 0, 4)
  let at = headBytes
  for (const chunk of chunks) at += chunk.copy(frame, at)
  return frame
}

export function encodePing(id: number): Buffer {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(id)
  return control(controlType.ping, body)
}

/** The opening of a stream; `block` is a header block of a HeaderBlocks. */
export function encodeSynStream(stream: number, block: Buffer): Buffer {
  const body = Buffer.alloc(10)
  body.writeUInt32BE(stream)
  return control(controlType.synStream, Buffer.concat([body, block]))
}

function control(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt16BE(controlBit | version, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}

/**
 * Header blocks of one connection, which are one zlib stream cut into frames. Ours are stored, not compressed: a port-forward sends two, and a
 * stored block needs neither the dictionary of SPDY (RFC 1950 leaves it to the writer) nor a compressor.
 *
 *   block     number of headers (32), then for each: length of name (32), name, length of value (32), value
 *   deflate   not the last, stored (1 byte: 0)   length (16, little endian)   its complement (16)   bytes   then an empty one
 */
export class HeaderBlocks {
  #begun = false

  encode(headers: Readonly<Record<string, string>>): Buffer {
    const entries = Object.entries(headers)
    const texts = entries.flat().map(text => Buffer.from(text))
    const fields = texts.flatMap(text => [uint32(text.length), text])
    const block = Buffer.concat([uint32(entries.length), ...fields])
    const stored = Buffer.alloc(5)
    stored.writeUInt16LE(block.length, 1)
    stored.writeUInt16LE(~block.length & 0xffff, 3)
    // 78 01: deflate with a window of 32 KiB, no dictionary (RFC 1950 section 2.2).
    const begin = this.#begun ? [] : [Buffer.of(0x78, 0x01)]
    this.#begun = true
    return Buffer.concat([...begin, stored, block, flush])
  }
}

/** An empty stored block: without one, a reader in Go holds back what came until the next block begins. */
const flush = Buffer.of(0, 0, 0, 0xff, 0xff)

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Finds frames in bytes that come in any pieces. Data is given out as it comes, so that no frame is ever held whole. */
export class FrameReader {
  #head = Buffer.alloc(0)
  #body: { length: number; have: number; stream: number; fin: boolean } | undefined
  #control: { type: number; fin: boolean; length: number; chunks: Buffer[]; have: number } | undefined;

  /** Throws an Error with a sentence when the bytes are no SPDY. */
  *read(bytes: Buffer): Generator<Frame> {
    let rest = bytes
    while (rest.length > 0) {
      if (this.#body !== undefined) {
        const { stream, length, have, fin } = this.#body
        const data = rest.subarray(0, length - have)
        rest = rest.subarray(data.length)
        this.#body.have += data.length
        const isLast = this.#body.have === length
        if (isLast) this.#body = undefined
        yield { type: 'data', stream, fin: fin && isLast, bytes: data }
      } else if (this.#control !== undefined) {
        const { length, have, chunks } = this.#control
        const part = rest.subarray(0, length - have)
        rest = rest.subarray(part.length)
        chunks.push(part)
        this.#control.have += part.length
        if (this.#control.have === length) yield this.#takeControl()
      } else {
        const part = rest.subarray(0, headBytes - this.#head.length)
        rest = rest.subarray(part.length)
        this.#head = Buffer.concat([this.#head, part])
        if (this.#head.length === headBytes) yield* this.#begin()
      }
    }
  }

  *#begin(): Generator<Frame> {
    const head = this.#head
    this.#head = Buffer.alloc(0)
    const first = head.readUInt32BE(0)
    const second = head.readUInt32BE(4)
    const fin = ((second >>> 24) & flagFin) !== 0
    const length = second & 0xffffff
    if (length >= longestBytes) throw new Error(`a frame of ${length} bytes came`)
    if (first >>> 31 === 0) {
      if (length === 0) yield { type: 'data', stream: first, fin, bytes: head.subarray(0, 0) }
      else this.#body = { length, have: 0, stream: first, fin }
      return
    }
    if (((first >>> 16) & 0x7fff) !== version) throw new Error('what came is no SPDY/3.1')
    this.#control = { type: first & 0xffff, fin, length, chunks: [], have: 0 }
    if (length === 0) yield this.#takeControl()
  }

  #takeControl(): Frame {
    const { type, fin, chunks } = this.#control!
    this.#control = undefined
    const body = Buffer.concat(chunks)
    const at = (offset: number) => (body.length >= offset + 4 ? body.readUInt32BE(offset) : 0)
    if (type === controlType.synReply) return { type: 'reply', stream: at(0), fin }
    if (type === controlType.rstStream) return { type: 'reset', stream: at(0), status: at(4) }
    if (type === controlType.ping) return { type: 'ping', id: at(0) }
    return { type: 'other' }
  }
}

// Cuts JSON-RPC messages from a byte stream by their Content-Length header, and refuses what could exhaust memory or hang the reader.
// Source: Language Server Protocol 3.17, "Base Protocol". Lines may end in LF alone: a hand-made client gets an answer, not silence.
import { Failure } from '../../protocol/errors.ts'

/** A header block longer than this is not a client of ours. */
export const maxHeaderBytes = 8 << 10
/** The largest message: a launch with a full environment is far below; 1 GiB is refused before any memory is taken. */
export const maxBodyBytes = 64 << 20

const headerEnd = /\r?\n\r?\n/

/** Throws `parse-failed` on bad headers: where the next message begins is then unknown, so the connection must be closed. */
export class MessageReader {
  #header = ''
  #body: Buffer[] = []
  #missingBytes: number | undefined;

  /** The bodies that are complete with this chunk; those before a bad header are still given. */
  *read(chunk: Buffer): Generator<Buffer> {
    let rest = chunk
    while (rest.length > 0) {
      rest = this.#missingBytes === undefined ? this.#readHeader(rest) : this.#readBody(rest)
      if (this.#missingBytes === 0) {
        const body = Buffer.concat(this.#body)
        this.#body = []
        this.#missingBytes = undefined
        yield body
      }
    }
  }

  /** Whether the stream may end here without cutting a message. */
  get betweenMessages(): boolean {
    return this.#missingBytes === undefined && this.#header.trim() === ''
  }

  #readHeader(chunk: Buffer): Buffer {
    // latin1 keeps one character a byte, so that positions in the text are positions in the chunk.
    const before = this.#header.length
    const text = this.#header + chunk.subarray(0, maxHeaderBytes + 4).toString('latin1')
    const end = headerEnd.exec(text)
    if (end === null) {
      if (text.length > maxHeaderBytes) throw broken(`a header of more than ${maxHeaderBytes} bytes`)
      this.#header = text
      return chunk.subarray(chunk.length)
    }
    this.#header = ''
    this.#missingBytes = contentLength(text.slice(0, end.index))
    return chunk.subarray(end.index + end[0].length - before)
  }

  #readBody(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.#missingBytes)
    this.#body.push(part)
    this.#missingBytes = (this.#missingBytes ?? 0) - part.length
    return chunk.subarray(part.length)
  }
}

function broken(reason: string): Failure {
  return new Failure('parse-failed', { reason })
}

function contentLength(header: string): number {
  let length: number | undefined
  for (const line of header.split(/\r?\n/)) {
    const [, name, value] = /^([^\s:]+)[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw broken(`a bad header line "${line.slice(0, 60)}"`)
    if (name.toLowerCase() === 'content-type') checkCharset(value)
    if (name.toLowerCase() !== 'content-length') continue
    if (length !== undefined) throw broken('two Content-Length headers')
    if (!/^\d{1,15}$/.test(value)) throw broken(`a Content-Length of "${value.slice(0, 40)}"`)
    length = Number(value)
  }
  if (length === undefined) throw broken('no Content-Length header')
  if (length === 0) throw broken('a Content-Length of 0 bytes')
  if (length > maxBodyBytes)
    throw broken(`a Content-Length of ${length} bytes, the limit is ${maxBodyBytes} bytes`)
  return length
}

/** LSP: the default is utf-8, and "utf8" is to be understood too. */
function checkCharset(contentType: string): void {
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw broken(`the charset "${charset.slice(0, 40)}"`)
}

/** A message with its header. */
export function encodeMessage(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body])
}

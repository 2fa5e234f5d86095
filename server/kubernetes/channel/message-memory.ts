// Memory for messages while they are sent, used again: one buffer a message keeps the garbage collector busy at full speed.

/** Gives so many bytes of memory, with what others left in it. */
export type Take = (bytes: number) => Buffer

/** The head that the message's format puts before what it carries. */
const formatBytes = 16
/** What stands before a message in its memory, for the head of the WebSocket: 14 bytes at most (RFC 6455 section 5.2). */
const roomBytes = 16
/** What is smaller comes from Node's own pool (Buffer.poolSize). */
const smallBytes = 4 << 10

const pieces = new WeakSet<ArrayBufferLike>()

export class MessageMemory {
  readonly #free: Buffer[] = []
  readonly #pieceBytes: number

  constructor(messageBytes: number) {
    this.#pieceBytes = roomBytes + messageBytes + formatBytes
  }

  readonly take: Take = bytes => {
    if (bytes <= smallBytes || roomBytes + bytes > this.#pieceBytes) return Buffer.allocUnsafe(bytes)
    const piece = this.#free.pop() ?? this.#make()
    return piece.subarray(roomBytes, roomBytes + bytes)
  }

  /** What was taken is sent, and nobody reads it any more. */
  giveBack({ buffer }: Buffer): void {
    if (buffer.byteLength === this.#pieceBytes) this.#free.push(Buffer.from(buffer))
  }

  #make(): Buffer {
    const piece = Buffer.allocUnsafeSlow(this.#pieceBytes)
    pieces.add(piece.buffer)
    return piece
  }
}

/** Head and message as one buffer, without copying the message; undefined where it has no room before it. */
export function withHead(head: Buffer, message: Buffer): Buffer | undefined {
  const { buffer, byteOffset } = message
  if (byteOffset !== roomBytes || head.length > roomBytes || !pieces.has(buffer)) return undefined
  const whole = Buffer.from(buffer, byteOffset - head.length, head.length + message.length)
  whole.set(head)
  return whole
}

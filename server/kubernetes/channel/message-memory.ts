// Memory for messages while they are sent, used again: one buffer a message keeps the garbage collector busy at full speed.

/** Gives so many bytes of memory, with what others left in it. */
export type Take = (bytes: number) => Buffer

/** The head that a format may put before the largest message. */
const headBytes = 16
/** What is smaller comes from Node's own pool (Buffer.poolSize). */
const smallBytes = 4 << 10

export class MessageMemory {
  readonly #free: Buffer[] = []
  readonly #pieceBytes: number

  constructor(messageBytes: number) {
    this.#pieceBytes = messageBytes + headBytes
  }

  readonly take: Take = bytes => {
    if (bytes <= smallBytes || bytes > this.#pieceBytes) return Buffer.allocUnsafe(bytes)
    const piece = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#pieceBytes)
    return piece.subarray(0, bytes)
  }

  /** What was taken is sent, and nobody reads it any more. */
  giveBack({ buffer }: Buffer): void {
    if (buffer.byteLength === this.#pieceBytes) this.#free.push(Buffer.from(buffer))
  }
}

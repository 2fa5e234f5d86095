// Memory for what is read from one socket until the link has taken it: pieces that all sockets of the process use by turns.
//
// Node makes a buffer of 64 KiB for each read. At full speed those alone start a collection of the whole heap every 30 MB, and a process
// spends a quarter of its time in them.
import { Ring } from './ring.ts'

/** The most that is copied at a time, which is the size of a piece: the payload of one data frame. */
export const longestCopyBytes = 64 << 10
/** What is smaller has a buffer of its own: many connections that said little, and wait, would each hold a whole piece. */
const smallBytes = 16 << 10
/** Pieces that are kept for later, 4 MiB; what a burst needs above that is given back. */
const keptPieces = 64
const free: Buffer[] = []

/** `end` counts the bytes that were copied up to the last one in the piece. */
type Piece = { readonly memory: Buffer; used: number; end: number }

export class ReadMemory {
  /** The oldest first; the last one is being filled. */
  readonly #pieces = new Ring<Piece>()
  #copiedBytes = 0

  /** A copy, which is good until it is let go. */
  copy(bytes: Buffer): Buffer {
    this.#copiedBytes += bytes.length
    if (bytes.length < smallBytes) return Buffer.from(bytes)
    const filling = this.#pieces.last
    const fits = filling !== undefined && filling.used + bytes.length <= longestCopyBytes
    const piece = fits ? filling : this.#begin()
    const begin = piece.used
    piece.used += bytes.length
    piece.end = this.#copiedBytes
    piece.memory.set(bytes, begin)
    return piece.memory.subarray(begin, piece.used)
  }

  /** Of all that was copied only the last `kept` bytes are still needed. */
  letGo(kept: number): void {
    const gone = this.#copiedBytes - kept
    while (this.#pieces.first !== undefined && this.#pieces.first.end <= gone) {
      const { memory } = this.#pieces.shift()!
      if (free.length < keptPieces) free.push(memory)
    }
  }

  #begin(): Piece {
    const piece = { memory: free.pop() ?? Buffer.allocUnsafeSlow(longestCopyBytes), used: 0, end: 0 }
    this.#pieces.push(piece)
    return piece
  }
}

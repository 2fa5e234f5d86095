// Holds the segments of one direction that arrived before those in front of them, within a bound, without two claims to one byte.

/** Sequence numbers wrap at 2^32: the signed distance from `a` to `b`, right for distances under 2^31. */
export const distance = (a: number, b: number): number => (b - a) | 0

/** Whose bytes count where two segments overlap: the ones that came first (what the receiver has already) or last. */
export type Overlap = 'first' | 'last'

/** A run of a stream's bytes: `length` of them, of which the first `bytes.length` were captured. */
export type Piece = { seq: number; length: number; bytes: Uint8Array; timeMs: number }

/** Bytes that all connections together hold out of order. */
export type Budget = { usedBytes: number; readonly limitBytes: number }

/** What a held piece costs beside its bytes, so that a flood of tiny segments meets the bound too. */
export const pieceCostBytes = 128

export class OutOfOrder {
  readonly #pieces: Piece[] = []
  #usedBytes = 0
  constructor(
    readonly limitBytes: number,
    readonly budget: Budget,
    readonly overlap: Overlap,
  ) {}

  /** The piece that is nearest to the hole. */
  get first(): Piece | undefined {
    return this.#pieces[0]
  }

  /** Keeps a copy of what is not held yet (of everything, if the last one counts). False if that is more than the bounds allow. */
  hold(piece: Piece): boolean {
    if (this.overlap === 'last') this.#cutAway(piece)
    const parts = this.overlap === 'last' ? [piece] : this.#holesIn(piece)
    for (const part of parts) this.#insert({ ...part, bytes: new Uint8Array(part.bytes) })
    return this.#usedBytes <= this.limitBytes && this.budget.usedBytes <= this.budget.limitBytes
  }

  shift(): Piece | undefined {
    const piece = this.#pieces.shift()
    if (piece) this.#account(-cost(piece))
    return piece
  }

  clear(): void {
    this.#pieces.length = 0
    this.#account(-this.#usedBytes)
  }

  #account(bytes: number): void {
    this.#usedBytes += bytes
    this.budget.usedBytes += bytes
  }

  /** Mostly the newcomer belongs at the end, so the search starts there. */
  #insert(piece: Piece): void {
    let at = this.#pieces.length
    while (at > 0 && distance(this.#pieces[at - 1]!.seq, piece.seq) < 0) at--
    this.#pieces.splice(at, 0, piece)
    this.#account(cost(piece))
  }

  #holesIn(piece: Piece): Piece[] {
    const holes: Piece[] = []
    let rest = piece
    for (const held of this.#from(piece.seq)) {
      const before = distance(rest.seq, held.seq)
      if (before >= rest.length) break
      if (before > 0) holes.push(slice(rest, 0, before))
      const known = Math.max(before + held.length, 0)
      if (known >= rest.length) return holes
      rest = slice(rest, known, rest.length)
    }
    return [...holes, rest]
  }

  #cutAway(piece: Piece): void {
    for (const held of this.#from(piece.seq)) {
      const from = distance(held.seq, piece.seq)
      const to = from + piece.length
      if (to <= 0) break
      this.#pieces.splice(this.#pieces.indexOf(held), 1)
      this.#account(-cost(held))
      if (from > 0) this.#insert(slice(held, 0, from))
      if (to < held.length) this.#insert(slice(held, to, held.length))
    }
  }

  /** The held pieces that end behind `seq`, in order; a copy, as the caller changes the list. */
  #from(seq: number): Piece[] {
    let at = this.#pieces.length
    while (at > 0 && distance(seq, this.#pieces[at - 1]!.seq + this.#pieces[at - 1]!.length) > 0) at--
    return this.#pieces.slice(at)
  }
}

const cost = (piece: Piece): number => piece.bytes.length + pieceCostBytes

function slice(piece: Piece, from: number, to: number): Piece {
  const { bytes, timeMs } = piece
  return { seq: (piece.seq + from) >>> 0, length: to - from, bytes: bytes.subarray(from, to), timeMs }
}

// Memory for frames that are let go in the order in which they were made: a few large pieces, used again and again.
//
// A buffer of its own for each frame lives until its ack, long enough for the garbage collector to take it for old; a transfer at full
// speed then costs as much time in collections of the whole heap as in sending.

const slabBytes = 512 << 10
/** Pieces that are kept for later; what a burst needs above that is given back. */
const keptSlabs = 8

type Slab = { readonly memory: Buffer; used: number; frames: number; again: boolean }

export class Slabs {
  /** The oldest first; frames are taken from the last. */
  #inUse: Slab[] = []
  #free: Slab[] = []

  /** Memory of a frame, with what others left in it. */
  take(bytes: number): Buffer {
    const last = this.#inUse.at(-1)
    const slab = last?.again === true && last.used + bytes <= last.memory.length ? last : this.#begin(bytes)
    const begin = slab.used
    slab.used += bytes
    slab.frames += 1
    return slab.memory.subarray(begin, slab.used)
  }

  /** The oldest frame that was taken is needed no more, by anybody. */
  letGo(): void {
    const slab = this.#inUse[0]
    if (slab === undefined) return
    slab.frames -= 1
    if (slab.frames > 0) return
    slab.used = 0
    if (this.#inUse.length === 1 && slab.again) return
    this.#inUse.shift()
    if (slab.again && this.#free.length < keptSlabs) this.#free.push(slab)
  }

  /** Somebody may still read what was taken after it is let go: it is not used again. */
  leave(): void {
    for (const slab of this.#inUse) slab.again = false
  }

  /** A frame that would leave much of a piece unused has one of its own. */
  #begin(bytes: number): Slab {
    const slab =
      bytes > slabBytes / 4
        ? { memory: Buffer.allocUnsafeSlow(bytes), used: 0, frames: 0, again: false }
        : (this.#free.pop() ?? { memory: Buffer.allocUnsafeSlow(slabBytes), used: 0, frames: 0, again: true })
    this.#inUse.push(slab)
    return slab
  }
}

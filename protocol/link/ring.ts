// A queue that makes no garbage.
//
// A Set or a Map whose last entry is deleted gets a new table each time, in the memory of old objects; once a frame, that starts collections of
// the whole heap.

export class Ring<T> {
  /** A power of two of places. */
  #places: (T | undefined)[] = new Array(16).fill(undefined)
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  get first(): T | undefined {
    return this.#places[this.#head]
  }

  get last(): T | undefined {
    if (this.#length === 0) return undefined
    return this.#places[(this.#head + this.#length - 1) & (this.#places.length - 1)]
  }

  push(item: T): void {
    if (this.#length === this.#places.length) this.#grow()
    this.#places[(this.#head + this.#length) & (this.#places.length - 1)] = item
    this.#length += 1
  }

  /** Replaces the first one, which must be there. */
  replaceFirst(item: T): void {
    this.#places[this.#head] = item
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#places[this.#head]
    this.#places[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#places.length - 1)
    this.#length -= 1
    return item
  }

  clear(): void {
    this.#places = new Array(16).fill(undefined)
    this.#head = 0
    this.#length = 0
  }

  #grow(): void {
    const { length } = this.#places
    const inOrder = [...this.#places.slice(this.#head), ...this.#places.slice(0, this.#head)]
    this.#places = inOrder.concat(new Array(length).fill(undefined))
    this.#head = 0
  }
}

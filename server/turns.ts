// Lets so many at a time begin, and the others in the order in which they came.

export class Turns {
  readonly #most: number
  #under = 0
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#under >= this.#most) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#under += 1
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#under -= 1
      else next()
    }
  }
}

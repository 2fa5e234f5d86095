// Things that come one after the other, each to be taken once, with a deadline that says what was awaited.

export class Mailbox<T> {
  readonly all: T[] = []
  readonly #untaken: T[] = []
  readonly #waiting = new Set<() => void>()

  add(item: T): void {
    this.all.push(item)
    this.#untaken.push(item)
    for (const look of [...this.#waiting]) look()
  }

  /** The first item, waiting or to come, that matches and that nobody took yet. */
  take<S extends T>(
    what: string,
    matches: (item: T) => item is S,
    options?: { withinMs?: number; showing?: () => unknown },
  ): Promise<S>
  take(
    what: string,
    matches: (item: T) => boolean,
    options?: { withinMs?: number; showing?: () => unknown },
  ): Promise<T>
  take(
    what: string,
    matches: (item: T) => boolean,
    { withinMs = 15_000, showing = () => this.all.slice(-5) as unknown } = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const index = this.#untaken.findIndex(matches)
        if (index < 0) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(this.#untaken.splice(index, 1)[0]!)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`${what} did not come within ${withinMs} ms: ${JSON.stringify(showing())}`))
      }, withinMs)
      this.#waiting.add(look)
      look()
    })
  }

  /** Whether such an item came, taken or not. */
  has(matches: (item: T) => boolean): boolean {
    return this.all.some(matches)
  }
}

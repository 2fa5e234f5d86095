// Lets connections to each listener in by turns: more connects at once than its accept queue has room for would only be dropped by the kernel.
import { endpointKey } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'

/** More are under way only for a moment, because loopback connects are finished by the system call that begins them. */
const maxConnects = 16

/** One listener, as long as anybody is there to go in. */
export class Doorway {
  #inside = 0
  #enteredMs = Number.NEGATIVE_INFINITY
  readonly #waiting: (() => void)[] = []

  /** Resolves when it is one's turn, first come, first served; to be followed by `leave`. */
  async enter(): Promise<void> {
    if (this.#inside < maxConnects) this.#inside++
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** The turn passes on. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#inside--
    else next()
  }

  /** The listener has taken a connection. */
  entered(): void {
    this.#enteredMs = performance.now()
  }

  /** How long someone who came at `sinceMs` has waited without seeing the listener take any connection. */
  stuckMs(sinceMs: number): number {
    return performance.now() - Math.max(sinceMs, this.#enteredMs)
  }

  get empty(): boolean {
    return this.#inside === 0
  }
}

export class Doorways {
  readonly #byListener = new Map<string, Doorway>()

  /** Does the work in its turn at the listener's doorway. */
  async through<T>(listener: Endpoint, work: (doorway: Doorway) => Promise<T>): Promise<T> {
    const key = endpointKey(listener)
    const doorway = this.#byListener.get(key) ?? new Doorway()
    this.#byListener.set(key, doorway)
    await doorway.enter()
    try {
      return await work(doorway)
    } finally {
      doorway.leave()
      if (doorway.empty) this.#byListener.delete(key)
    }
  }
}

// Keeps what the agent captures in step with what the session wants: one request at a time, the newest wish wins.
import type { TrafficNeeds } from '../traffic/traffic.ts'

export type Wish = { ports: number[]; answers: TrafficNeeds['answers'] }

export class Subscription {
  readonly #apply: (wish: Wish) => Promise<unknown>
  readonly #onFailed: (failure: unknown) => void
  #wish: Wish = { ports: [], answers: 'none' }
  #applied = JSON.stringify(this.#wish)
  #running: Promise<void> | undefined

  constructor(apply: (wish: Wish) => Promise<unknown>, onFailed: (failure: unknown) => void) {
    this.#apply = apply
    this.#onFailed = onFailed
  }

  /** Resolves when the agent captures what was wished last. */
  want(wish: Wish): Promise<void> {
    this.#wish = wish
    this.#running ??= this.#settle().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Another agent knows of nothing. */
  again(): Promise<void> {
    this.#applied = JSON.stringify({ ports: [], answers: 'none' })
    return this.want(this.#wish)
  }

  async #settle(): Promise<void> {
    while (JSON.stringify(this.#wish) !== this.#applied) {
      const wish = this.#wish
      this.#applied = JSON.stringify(wish)
      try {
        await this.#apply(wish)
      } catch (thrown) {
        this.#onFailed(thrown)
      }
    }
  }
}

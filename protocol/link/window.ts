// What a stream's sender may send before its reader has taken it: more for streams whose readers keep up, out of a budget that all streams share.
//
// A sender that waits for its window sends one a round trip. So a window that was read within `fastMs` doubles: up to round trips of that
// length the window does not hold the sender back, and on a slow connection it never holds more than that connection carries in twice the
// time. It does not shrink: the budget bounds what readers that stop later leave waiting.
import { initialCreditBytes } from './frame.ts'

/** The largest window of one stream, and what all windows of an endpoint together may have above `initialCreditBytes` each. */
export const longestWindowBytes = 4 << 20
export const budgetBytes = 32 << 20
export const fastMs = 200

export class WindowBudget {
  #leftBytes = budgetBytes

  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false
    this.#leftBytes -= bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#leftBytes += bytes
  }
}

export class Window {
  readonly #budget: WindowBudget | undefined
  #bytes = initialCreditBytes
  /** Since when so much of it was read. */
  #sinceMs: number | undefined
  #readBytes = 0

  /** Without a budget it stays as it is. */
  constructor(budget: WindowBudget | undefined) {
    this.#budget = budget
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Bytes came. */
  arrived(): void {
    this.#sinceMs ??= performance.now()
  }

  /** The reader has taken so many bytes; gives by how many the window has grown. */
  read(bytes: number, nowMs: number): number {
    this.#readBytes += bytes
    if (this.#readBytes < this.#bytes) return 0
    const isFast = nowMs - (this.#sinceMs ?? nowMs) <= fastMs
    this.#readBytes = 0
    this.#sinceMs = nowMs
    const growth = Math.min(this.#bytes, longestWindowBytes - this.#bytes)
    if (!isFast || growth === 0 || this.#budget?.take(growth) !== true) return 0
    this.#bytes += growth
    return growth
  }

  /** The stream is over. */
  end(): void {
    this.#budget?.giveBack(this.#bytes - initialCreditBytes)
    this.#bytes = initialCreditBytes
  }
}

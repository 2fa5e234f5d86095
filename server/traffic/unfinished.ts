// Messages that have begun and not ended: each is shown once, at its end or after a while, whichever comes first.
import type { Unfinished } from './sink.ts'

/** How long a message's end is waited for before it is shown without it. */
export const patienceMs = 3_000

type Entry = { sinceMs: number; early(): void }

export class UnfinishedMessages {
  /** In the order of their beginning. */
  readonly #entries = new Set<Entry>()
  #timer: NodeJS.Timeout | undefined

  add(show: (whole: boolean) => void): Unfinished {
    const done = (whole: boolean) => {
      if (this.#entries.delete(entry)) show(whole)
    }
    const entry: Entry = { sinceMs: performance.now(), early: () => done(false) }
    this.#entries.add(entry)
    this.#timer ??= setInterval(() => this.#showOld(), patienceMs / 3).unref()
    return { whole: () => done(true), early: entry.early }
  }

  close(): void {
    this.#entries.clear()
    this.#stopTimer()
  }

  #showOld(): void {
    const before = performance.now() - patienceMs
    for (const entry of this.#entries) {
      if (entry.sinceMs > before) break
      entry.early()
    }
    // Not at each message's end: most end at once, and a timer for each would cost more than reading it.
    if (this.#entries.size === 0) this.#stopTimer()
  }

  #stopTimer(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

// A number that grows in one place of the terminal while something large is fetched.

export type Counter = { show(count: number): void; clear(): void }

/** What is there sooner needs no counter. */
const firstMs = 400

/** Writes to standard error, and only if that is a terminal on which a line can be cleared. */
export function counter(what: string): Counter {
  const { stderr } = process
  const beganAt = performance.now()
  const can = stderr.isTTY && stderr.columns > 0 && process.env.CI === undefined
  let shown = false
  return {
    show(count) {
      if (!can || performance.now() - beganAt < firstMs) return
      shown = true
      stderr.write(`\r\x1b[K${count} ${what} so far`)
    },
    clear() {
      if (shown) stderr.write('\r\x1b[K')
      shown = false
    },
  }
}

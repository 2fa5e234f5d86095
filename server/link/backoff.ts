// How long to wait before the next try.

const firstMs = 100
const longestMs = 5_000

/** 100 ms doubling to 5 s, of which a random half is taken off so that many servers do not come back in one beat. `attempt` counts from 1. */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const wholeMs = Math.min(firstMs * 2 ** (attempt - 1), longestMs)
  return wholeMs / 2 + (wholeMs / 2) * random
}

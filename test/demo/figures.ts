// The numbers that the demo proves things with; pure.
import type { Arrival } from './stand-in.ts'
import type { Call } from './town.ts'

/** The value that so many percent of the values are not above; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}

export type Latency = { requests: number; p50: number; p99: number }

export function latency(calls: readonly Call[]): Latency {
  const values = calls.map(({ ms }) => ms)
  return { requests: values.length, p50: percentile(values, 50), p99: percentile(values, 99) }
}

/**
 * Whether rounds with and without differ by more than the rounds differ among themselves: the medians of the one kind overlap those of the
 * other, or lie closer than 10 % or 0.1 ms, which no caller notices.
 */
export function sameLatency(without: readonly number[], withIt: readonly number[]): boolean {
  const overlap = Math.min(...withIt) <= Math.max(...without) && Math.min(...without) <= Math.max(...withIt)
  const before = percentile(without, 50)
  const apart = percentile(withIt, 50) - before
  return overlap || apart <= Math.max(0.1, before / 10)
}

/** Of the requests that callers sent, those whose copy did not come exactly once with the caller's true address. */
export function wrongCopies(calls: readonly Call[], arrivals: readonly Arrival[]): Call[] {
  const times = new Map<string, number>()
  for (const { item, caller } of arrivals)
    times.set(`${item} ${caller}`, (times.get(`${item} ${caller}`) ?? 0) + 1)
  return calls.filter(({ item, caller }) => times.get(`${item} ${caller}`) !== 1)
}

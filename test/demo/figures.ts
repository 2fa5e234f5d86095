// The numbers that the demo proves things with; pure.
import { compared, median } from '../bench/measure.ts'
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

/** What no caller notices: a median that is so much later than before. */
const unnoticedMs = 0.1
const unnoticedShare = 0.25

/** Medians of one round, in ms: of the pod, and of its twin, which standin never touches, at the same time. */
export type RoundMedians = { pod: number; twin: number }

/**
 * Whether rounds show that the pod answers later with a stand-in: how much longer than its twin it takes, so that a busy machine slows both;
 * by so much that somebody could notice, and so consistently that chance does it in one of a hundred runs. Errs on "no" when rounds differ
 * among themselves.
 */
export function looksSlower(without: readonly RoundMedians[], withIt: readonly RoundMedians[]): boolean {
  const againstTwin = (rounds: readonly RoundMedians[]) => rounds.map(({ pod, twin }) => pod / twin)
  const { ratio, chance } = compared('pod against twin', '', againstTwin(without), againstTwin(withIt))
  const laterMs = (ratio - 1) * median(withIt.map(({ twin }) => twin))
  return ratio > 1 + unnoticedShare && laterMs > unnoticedMs && chance < 0.01
}

/** Of the requests that callers sent, those whose copy did not come exactly once with the caller's true address. */
export function wrongCopies(calls: readonly Call[], arrivals: readonly Arrival[]): Call[] {
  const times = new Map<string, number>()
  for (const { item, caller } of arrivals)
    times.set(`${item} ${caller}`, (times.get(`${item} ${caller}`) ?? 0) + 1)
  return calls.filter(({ item, caller }) => times.get(`${item} ${caller}`) !== 1)
}

// Ratios of things measured side by side in one run: interleaved, medians compared, with the chance that the difference is none.

export type Comparison = {
  name: string
  baseline: number
  measured: number
  ratio: number
  chance: number
  runs: number
  unit: string
}

/** Middle of the values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/**
 * Two-sided Mann-Whitney U test by its normal approximation: how likely values that differ this much come from one source.
 * Below 0.05 the runs show a difference. Source: Mann and Whitney, "On a Test of Whether one of Two Random Variables is
 * Stochastically Larger than the Other", 1947.
 */
export function chanceOfNoDifference(a: readonly number[], b: readonly number[]): number {
  const wins = a.reduce((sum, x) => sum + b.reduce((s, y) => s + (x > y ? 1 : x === y ? 0.5 : 0), 0), 0)
  const mean = (a.length * b.length) / 2
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12)
  const z = Math.abs(wins - mean) / deviation
  return 2 * (1 - normal(z))
}

/** Cumulative normal distribution; Abramowitz and Stegun 26.2.17, error below 1e-7. */
function normal(z: number): number {
  const k = 1 / (1 + 0.2316419 * z)
  const tail =
    k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail
}

/** Runs `baseline` and `measured` in turn, `runs` times each, the order swapped each time. */
export async function interleaved(
  name: string,
  options: { runs: number; unit: string; baseline(): Promise<number>; measured(): Promise<number> },
): Promise<Comparison> {
  const before: number[] = []
  const after: number[] = []
  for (let run = 0; run < options.runs; run++) {
    if (run % 2 === 0) before.push(await options.baseline())
    after.push(await options.measured())
    if (run % 2 === 1) before.push(await options.baseline())
  }
  return compared(name, options.unit, before, after)
}

export function compared(
  name: string,
  unit: string,
  before: readonly number[],
  after: readonly number[],
): Comparison {
  const baseline = median(before)
  const measured = median(after)
  return {
    name,
    baseline,
    measured,
    ratio: measured / baseline,
    chance: chanceOfNoDifference(before, after),
    runs: before.length,
    unit,
  }
}

export function shown({ name, baseline, measured, ratio, chance, runs, unit }: Comparison): string {
  const digits = (n: number) => (Math.abs(n) >= 100 ? n.toFixed(0) : n.toPrecision(3))
  const added = `${measured < baseline ? '' : '+'}${digits(measured - baseline)}`
  const value = (n: number) => `${digits(n)} ${unit}`
  return `${name}: ${ratio.toFixed(2)}x (${value(baseline)} -> ${value(measured)}, ${added} ${unit}; ${runs} runs, chance of no difference ${chance.toFixed(2)})`
}

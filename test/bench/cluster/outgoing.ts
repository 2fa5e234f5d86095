// What reaching a service takes from a process of a session, beside "kubectl port-forward" to the same server and a connection from a pod: bytes, round trips, connects, names, and processor time.
//
// STANDIN_BENCH_MIB sets the size of each download and upload (1,024), STANDIN_BENCH_COUNT the number of round trips (2,000), to which that
// of connects and names is in proportion; STANDIN_BENCH_ONLY is a regular expression of what to measure, such as "download in 1$|echo".
import { existsSync } from 'node:fs'
import { cpuSeconds } from '../cpu-seconds.ts'
import { type Comparison, compared, median, shown } from '../measure.ts'
import { startTrafficPods } from './traffic-pods.ts'
import { type Said, startWays, type WayName, type Ways, wayNames } from './ways.ts'

const bytes = Number(process.env.STANDIN_BENCH_MIB ?? 1024) << 20
const count = Number(process.env.STANDIN_BENCH_COUNT ?? 2000)
const only = new RegExp(process.env.STANDIN_BENCH_ONLY ?? '')
const parallel = 100

type Figure = { title: string; unit: string; key: string; goal?: string }
type Measure = {
  figures: readonly Figure[]
  words(address: string, name: string): (string | number)[]
  ways: readonly WayName[]
  /** Whether processor time is counted. */
  carries?: boolean
}

const carry = (direction: 'download' | 'upload', streams: number): Measure => ({
  figures: [
    {
      title: `${bytes >> 20} MiB ${direction} in ${streams}`,
      unit: 's',
      key: 'seconds',
      goal: 'at most 1.0 of kubectl',
    },
  ],
  words: address => [direction, address, bytes, streams],
  ways: wayNames,
  carries: true,
})
const rate = (title: string, words: Measure['words'], ways: readonly WayName[] = wayNames): Measure => ({
  figures: [{ title, unit: '/s', key: 'perSecond' }],
  words,
  ways,
})
const streamsBeside = (stalled: number): Measure => ({
  figures: [{ title: `${parallel - 1} streams, ${stalled} stalled`, unit: 's', key: 'seconds' }],
  words: address => ['download', address, bytes, parallel - 1, stalled],
  ways: ['session', 'forward'],
})

const every: readonly Measure[] = [
  carry('download', 1),
  carry('download', 10),
  carry('upload', 1),
  carry('upload', 10),
  {
    figures: [
      { title: 'echo p50', unit: 'us', key: 'p50Us', goal: 'at most 1.1 of kubectl' },
      { title: 'echo p99', unit: 'us', key: 'p99Us', goal: 'at most 1.1 of kubectl' },
    ],
    words: address => ['echo', address, count],
    ways: wayNames,
  },
  rate('connects in turn', address => ['connects', address, count / 4, 1]),
  rate('connects, 50 at once', address => ['connects', address, count / 2, 50]),
  rate('names in turn', (_, name) => ['names', name, count / 4, 1], ['direct', 'session']),
  rate('names, 20 at once', (_, name) => ['names', name, count, 20], ['direct', 'session']),
  streamsBeside(0),
  streamsBeside(1),
]
const measures = every.filter(({ figures }) => figures.some(({ title }) => only.test(title)))

type Run = { said: Said; cpu: Map<string, number> }
/** Of each way, by the title of the measure's first figure. */
type Results = Map<string, Map<WayName, Run[]>>

/** Runs everything in turn, each way first as often as the others. */
export async function benchOutgoing(runs: number): Promise<string[]> {
  const pods = await startTrafficPods()
  const ways = await startWays(pods)
  const results: Results = new Map(measures.map(({ figures }) => [figures[0]!.title, new Map()]))
  try {
    for (let run = 0; run < runs; run++)
      for (const measure of measures)
        for (const way of turned(measure.ways, run)) {
          const { address, run: runThere } = ways.of[way]
          const words = measure.words(address, pods.name).map(String)
          const done = await counted(ways, atEnd => runThere(words, atEnd))
          const ofMeasure = results.get(measure.figures[0]!.title)!
          ofMeasure.set(way, [...(ofMeasure.get(way) ?? []), done])
        }
  } finally {
    await ways.end()
    await pods.end()
  }
  return [...comparisons(results).map(shown), ...processorTimes(results)]
}

const turned = <T>(all: readonly T[], by: number): T[] => [
  ...all.slice(by % all.length),
  ...all.slice(0, by % all.length),
]

/** What starts or ends meanwhile, such as the supervisors of the commands before and after, is not counted. */
async function counted(ways: Ways, work: (atEnd: () => void) => Promise<Said>): Promise<Run> {
  const carriers = [...ways.carriers()].map(([name, pids]) => [name, pids.map(started)] as const)
  const cpu = new Map<string, number>()
  const said = await work(() => {
    for (const [name, all] of carriers)
      cpu.set(
        name,
        all.reduce((sum, since) => sum + since(), 0),
      )
  })
  return { said, cpu }
}

/** Gives the seconds that the process has taken from here on; 0 when it is gone. */
function started(pid: number): () => number {
  const seconds = () => (existsSync(`/proc/${pid}`) ? cpuSeconds(pid) : 0)
  const before = seconds()
  return () => Math.max(0, seconds() - before)
}

const long: Readonly<Record<WayName, string>> = {
  direct: 'a connection from a pod',
  kubectl: 'kubectl port-forward',
  session: 'in a session',
  forward: 'by standin forward',
}
const pairs: readonly [measured: WayName, baseline: WayName][] = [
  ['session', 'kubectl'],
  ['forward', 'kubectl'],
  ['session', 'direct'],
]

function comparisons(results: Results): Comparison[] {
  const compare = measures.flatMap(({ figures, ways }) =>
    figures.flatMap(figure =>
      pairs
        .filter(pair => pair.every(way => ways.includes(way)))
        .map(([measured, baseline]) => {
          const of = (way: WayName) => valuesOf(results, figures[0]!.title, way, figure.key)
          const goal = figure.goal !== undefined && baseline === 'kubectl' ? ` (goal: ${figure.goal})` : ''
          return compared(
            `${figure.title}, ${long[measured]} against ${long[baseline]}${goal}`,
            figure.unit,
            of(baseline),
            of(measured),
          )
        }),
    ),
  )
  const beside = (stalled: number, way: WayName) =>
    valuesOf(results, streamsBeside(stalled).figures[0]!.title, way, 'seconds')
  const isStalledMeasured = [0, 1].every(stalled => results.has(streamsBeside(stalled).figures[0]!.title))
  const stalled = (isStalledMeasured ? (['session', 'forward'] as const) : []).map(way =>
    compared(
      `${parallel - 1} streams of ${bytes >> 20} MiB together beside one whose reader stalls, against without it, ${long[way]} (goal: at most 1.0)`,
      's',
      beside(0, way),
      beside(1, way),
    ),
  )
  return [...compare, ...stalled]
}

const valuesOf = (results: Results, title: string, way: WayName, key: string): number[] =>
  (results.get(title)!.get(way) ?? []).map(({ said }) => said[key]!)

/** What took less than this has nothing to do with what is measured. */
const leastSeconds = 0.02

function processorTimes(results: Results): string[] {
  const gigabytes = bytes / 1e9
  return measures
    .filter(({ carries }) => carries)
    .flatMap(({ figures: [figure], ways }) =>
      ways
        .filter(way => way !== 'direct')
        .map(way => {
          const runs = results.get(figure!.title)!.get(way) ?? []
          const names = [...(runs[0]?.cpu.keys() ?? [])]
          const seconds = names
            .map(name => [name, median(runs.map(({ cpu }) => cpu.get(name) ?? 0)) / gigabytes] as const)
            .filter(([, value]) => value >= leastSeconds)
          const all = seconds.reduce((sum, [, value]) => sum + value, 0)
          const each = seconds.map(([name, value]) => `${name} ${value.toFixed(2)}`)
          return `CPU seconds a GB, ${figure!.title}, ${long[way]}: ${all.toFixed(2)} (${each.join(', ')})`
        }),
    )
}

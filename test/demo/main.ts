// npm run demo: a pod of this machine's own making, callers, and a second program that gets a copy of every request; with proof, and no trace left.
import { markRun, runMark } from '../stage/leftovers.ts'
import { latency, sameLatency, wrongCopies } from './figures.ts'
import { lookBefore, networkOf, untilClean } from './leave.ts'
import { missing } from './requirements.ts'
import { type StandIn, startStandIn } from './stand-in.ts'
import { buildTown, type Call, names, type Town } from './town.ts'

const rounds = 3
const roundMs = 1_500
const shownEach = 2
const say = (text = '') => void process.stdout.write(`${text}\n`)

process.exitCode = await main()

async function main(): Promise<number> {
  const begin = Date.now()
  const lack = missing()
  if (lack !== undefined) {
    say(lack)
    return 1
  }
  const mark = markRun()
  // Everything that is started from here on inherits the mark, so that the last look finds it.
  process.env[runMark] = mark.value
  const before = lookBefore()
  const town = await buildTown()
  const networks = [networkOf(town.shop.pid!)]
  say('A pod was made on this machine: a network namespace in which a small shop serves at')
  say(`${town.pods}:8080. ${names.length} callers with addresses of their own buy there all the time.`)
  let proof: Proof
  try {
    proof = await prove(town)
  } finally {
    await town.end()
  }
  const all = [...town.calls.all]
  const wrong = all.filter(call => call.wrong !== undefined)
  const clean = await untilClean(mark.value, before, networks).then(
    () => undefined,
    (thrown: Error) => thrown.message,
  )
  return summary({ ...proof, all, wrong, clean, seconds: (Date.now() - begin) / 1000 })
}

type Proof = { without: Call[][]; withIt: Call[][]; lost: Call[]; copies: number; region: string }

/** Rounds without and with a stand-in in turn, so that both kinds see the same weather on this machine. */
async function prove(town: Town): Promise<Proof> {
  const proof: Proof = { without: [], withIt: [], lost: [], copies: 0, region: '' }
  await town.calls.until('the first answer', () => town.calls.all.length > 0)
  for (let round = 1; round <= rounds; round++) {
    proof.without.push(await measured(town, `without ${round}`))
    const standIn = await startStandIn(`process/${town.shop.pid}`)
    try {
      await firstCopy(standIn)
      if (round === 1) introduce(standIn)
      const calls = await measured(town, `with ${round}`, () => {
        if (round === 1) show(town, standIn)
      })
      await standIn.printed
        .until('the last copies', () => wrongCopies(calls, standIn.arrivals()).length === 0, 3_000)
        .catch(() => {}) // told in the summary
      proof.withIt.push(calls)
      proof.lost.push(...wrongCopies(calls, standIn.arrivals()))
      proof.copies += standIn.arrivals().length
      proof.region = standIn.region
    } finally {
      await standIn.end()
    }
    say(
      round === 1
        ? `\nround 1 of ${rounds} done; the second shop is stopped and started again between rounds`
        : `round ${round} of ${rounds} done`,
    )
  }
  return proof
}

/** The requests of one round; `atEnd` runs when the round is over. */
async function measured(town: Town, label: string, atEnd = () => {}): Promise<Call[]> {
  town.label(label)
  await new Promise(resolve => setTimeout(resolve, roundMs))
  town.label('between')
  // Every caller has sent one of the next requests: those of the round have been answered.
  const { all } = town.calls
  const from = all.length
  const later = () => all.slice(from).filter(call => call.label === 'between')
  const back = () => new Set(later().map(({ item }) => item.split('/')[1])).size === names.length
  await town.calls.until('the end of the round', back)
  atEnd()
  return all.filter(call => call.label === label)
}

async function firstCopy(standIn: StandIn): Promise<void> {
  await standIn.printed.until('the first copy of a request', () => standIn.printed.all.length > 1)
}

function introduce(standIn: StandIn): void {
  say(
    `\nA second shop, version 2, runs on this machine and not in the pod, under standin:\n  $ ${standIn.command}`,
  )
  for (const line of standIn.said.all) say(`  ${line}`)
}

/** What the second shop printed, with its callers' names for people. */
function show(town: Town, standIn: StandIn): void {
  say('\nThe second shop gets a copy of every request, and sees who really sent it:')
  const seen = new Map<string, number>()
  for (const { method, item, caller } of standIn.arrivals()) {
    const name = town.nameOf(caller.slice(0, caller.lastIndexOf(':')))
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    if (times <= shownEach) say(`  ${method} ${item.padEnd(12)} from ${caller.padEnd(18)} (${name})`)
  }
  say('  ...')
}

type Result = Proof & { all: Call[]; wrong: Call[]; clean: string | undefined; seconds: number }

function summary(result: Result): number {
  const { without, withIt, lost, copies, all, wrong, clean, region, seconds } = result
  const measuredCopies = withIt.flat().length
  const medians = (calls: Call[][]) => calls.map(round => latency(round).p50)
  const same = sameLatency(medians(without), medians(withIt))
  say(`\nHow long the pod took to answer its callers, ${rounds} rounds each, in turn:`)
  for (const [name, calls] of [
    ['without standin', without.flat()],
    ['with standin', withIt.flat()],
  ] as const) {
    const { requests, p50, p99 } = latency(calls)
    say(
      `  ${name.padEnd(16)} ${String(requests).padStart(5)} requests   p50 ${p50.toFixed(2)} ms   p99 ${p99.toFixed(2)} ms`,
    )
  }
  say()
  const verdicts = [
    line(
      wrong.length === 0,
      `the pod answered every caller: ${all.length} requests, ${wrong.length} wrong or lost`,
    ),
    line(
      lost.length === 0,
      `the second shop got ${measuredCopies - lost.length} of the ${measuredCopies} requests of its rounds, exactly once, from their true callers (${copies} copies in all)`,
    ),
    line(region === 'Aachen', `the second shop had the environment of the pod: SHOP_REGION=${region}`),
    line(
      clean === undefined,
      clean === undefined
        ? 'nothing is left behind: no process, no namespace, no socket, no file'
        : `left behind: ${clean}`,
    ),
  ]
  const calm = same
    ? 'the latency of the pod did not change'
    : 'the latency of the pod differed: is this machine busy? Run the demo again'
  say(`${same ? '✔' : '!'} ${calm}`)
  for (const call of [...wrong, ...lost].slice(0, 5)) say(`    ${JSON.stringify(call)}`)
  say(
    `\n${seconds.toFixed(1)} s in all. Next: "node dist/standin.cjs ls", then "node dist/standin.cjs exec -t process/PID -- your command".`,
  )
  return verdicts.every(Boolean) ? 0 : 1
}

function line(ok: boolean, text: string): boolean {
  say(`${ok ? '✔' : '✘'} ${text}`)
  return ok
}

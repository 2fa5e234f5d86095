// The demo's rounds, without and with a stand-in in turn, so that both kinds see the same weather on this machine.
import { latency, looksSlower, wrongCopies } from './figures.ts'
import { say } from './say.ts'
import { arrivalPrinter } from './show.ts'
import { startStandIn } from './stand-in.ts'
import { type Call, names, type Shop, type Town } from './town.ts'

const rounds = 6
const roundMs = 500

/** The requests of one round. */
export type Round = { pod: Call[]; twin: Call[] }
export type RoundSet = { without: Round[]; withIt: Round[] }

export type Proof = {
  /** One set of rounds, or two when the pod looked slower in the first. */
  sets: RoundSet[]
  /** All requests that callers sent to the pod, at any time. */
  all: readonly Call[]
  /** Requests of rounds with a stand-in whose copy did not come exactly once from the true caller. */
  lost: Call[]
  copies: number
  region: string
}

/** Told when a stand-in gets its copies, and when it is gone again. */
export type Watcher = { standing(): void; gone(): void }

export async function prove(town: Town, watcher: Watcher): Promise<Proof> {
  const proof: Proof = { sets: [], all: town.pod.calls.all, lost: [], copies: 0, region: '' }
  for (const { calls } of [town.pod, town.twin])
    await calls.until('the first answer', () => calls.all.length > 0)
  if (podLooksSlower(await measureRounds(town, proof, watcher))) {
    say('\nThe pod looks slower with standin; chance can do that, so it is measured once more.')
    await measureRounds(town, proof, watcher)
  }
  return proof
}

/** Whether the pod answered later with a stand-in than without, each measured against its twin at the same time. */
export function podLooksSlower({ without, withIt }: RoundSet): boolean {
  return looksSlower(without.map(medians), withIt.map(medians))
}

function medians({ pod, twin }: Round) {
  return { pod: latency(pod).p50, twin: latency(twin).p50 }
}

async function measureRounds(town: Town, proof: Proof, watcher: Watcher): Promise<RoundSet> {
  const set: RoundSet = { without: [], withIt: [] }
  proof.sets.push(set)
  for (let number = 1; number <= rounds; number++) {
    const withoutIt = async () => set.without.push(await measured(town, 'without'))
    const withStandIn = async () => set.withIt.push(await measuredWith(town, proof, watcher))
    // The order is swapped each time, so that a machine that gets slower or faster favours neither.
    for (const measure of number % 2 === 1 ? [withoutIt, withStandIn] : [withStandIn, withoutIt])
      await measure()
    const [withIt, without] = [set.withIt, set.without].map(all => all.at(-1)!.pod.length)
    say(`round ${number} of ${rounds} done: ${withIt} requests with standin, ${without} without`)
    if (proof.sets.length + number === 2)
      say('(for each round the second shop is started again, and stopped)')
  }
  return set
}

async function measuredWith(town: Town, proof: Proof, watcher: Watcher): Promise<Round> {
  const printer = arrivalPrinter(town, { silent: proof.copies > 0 })
  const standIn = await startStandIn(`process/${town.pod.process.pid}`, printer)
  try {
    await standIn.printed.until('the first copy of a request', () => standIn.arrivals().length > 0)
    watcher.standing()
    const round = await measured(town, 'with')
    await standIn.printed
      .until('the last copies', () => wrongCopies(round.pod, standIn.arrivals()).length === 0, 15_000)
      .catch(() => {}) // told in the summary
    const arrivals = standIn.arrivals()
    proof.lost.push(...wrongCopies(round.pod, arrivals))
    proof.copies += arrivals.length
    proof.region = standIn.region
    return round
  } finally {
    await standIn.end()
    watcher.gone()
    printer.close()
  }
}

async function measured(town: Town, kind: string): Promise<Round> {
  const label = `${kind} from ${town.pod.calls.all.length}`
  for (const shop of [town.pod, town.twin]) shop.label(label)
  await new Promise(resolve => setTimeout(resolve, roundMs)) // a round is that long: the callers buy meanwhile
  const [pod, twin] = await Promise.all([town.pod, town.twin].map(shop => callsOf(shop, label)))
  return { pod: pod!, twin: twin! }
}

/** The requests of a label, which ends here, when all of them have been answered: every caller has sent one of the next requests then. */
async function callsOf({ calls, label }: Shop, counted: string): Promise<Call[]> {
  label('between')
  const from = calls.all.length
  const later = () => calls.all.slice(from).filter(call => call.label === 'between')
  const back = () => new Set(later().map(({ item }) => item.split('/')[1])).size === names.length
  await calls.until('the end of the round', back)
  return calls.all.filter(call => call.label === counted)
}

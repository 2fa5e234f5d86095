// The demo's last words: each claim with its numbers, and whether all of them hold.
import { latency } from './figures.ts'
import { type Proof, podLooksSlower, type Round } from './prove.ts'
import { say } from './say.ts'

/** `left` is what remained, or undefined for nothing. */
export type Result = Proof & { left: string | undefined; seconds: number }
export type Claim = { holds: boolean; text: string }

/** Prints the numbers and the verdicts; the exit code. */
export function summary(result: Result): number {
  const claims = claimsOf(result)
  sayLatencies(result)
  for (const { holds, text } of claims) say(`${holds ? '✔' : '✘'} ${text}`)
  const wrong = result.all.filter(call => call.wrong !== undefined)
  for (const call of [...wrong, ...result.lost].slice(0, 5)) say(`    ${JSON.stringify(call)}`)
  say(
    `\n${result.seconds.toFixed(1)} s in all. Next: "node dist/standin.cjs ls --local", then "node dist/standin.cjs exec -t process/PID -- your command".`,
  )
  return claims.every(({ holds }) => holds) ? 0 : 1
}

export function claimsOf({ sets, all, lost, copies, region, left }: Result): Claim[] {
  const copied = sets.flatMap(({ withIt }) => withIt.flatMap(({ pod }) => pod)).length
  const wrong = all.filter(call => call.wrong !== undefined).length
  // Slower once can be chance; slower twice in a row is the pod.
  const same = !sets.every(podLooksSlower)
  return [
    {
      holds: wrong === 0,
      text: `the pod answered every caller: ${all.length} requests, ${wrong} wrong or lost`,
    },
    {
      holds: lost.length === 0 && copied > 0,
      text: `the second shop got ${copied - lost.length} of the ${copied} requests of its rounds, exactly once, from their true callers (${copies} copies in all)`,
    },
    {
      holds: region === 'Aachen',
      text: `the second shop had the environment of the pod: SHOP_REGION=${region}`,
    },
    {
      holds: same,
      text: same
        ? 'the pod answered no slower than before'
        : 'the pod answered more slowly with standin than without, measured against its twin, twice in a row',
    },
    {
      holds: left === undefined,
      text:
        left === undefined
          ? 'nothing is left behind: no process, no namespace, no socket, no file'
          : `left behind: ${left}`,
    },
  ]
}

function sayLatencies({ sets }: Result): void {
  const kinds = [
    ['without standin', sets.flatMap(({ without }) => without)],
    ['with standin', sets.flatMap(({ withIt }) => withIt)],
  ] as const
  say(
    `\nHow long the pod took to answer its callers, ${kinds[0][1].length} rounds of each kind in turn, and its twin at the same time:`,
  )
  for (const [name, rounds] of kinds)
    say(`  ${name.padEnd(15)}  ${latenciesOf(rounds, 'pod')}    twin ${latenciesOf(rounds, 'twin')}`)
  say()
}

function latenciesOf(rounds: readonly Round[], whose: keyof Round): string {
  const { requests, p50, p99 } = latency(rounds.flatMap(round => round[whose]))
  return `${String(requests).padStart(5)} requests  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms`
}

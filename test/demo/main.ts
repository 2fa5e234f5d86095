// npm run demo: a pod of this machine's own making, callers, and a second program that gets a copy of every request; with proof, and no trace left.
import { Lack } from './lack.ts'
import { watchLeftovers } from './leave.ts'
import { type Proof, prove } from './prove.ts'
import { missing } from './requirements.ts'
import { say } from './say.ts'
import { summary } from './summary.ts'
import { buildTown, names } from './town.ts'

process.exitCode = await main()

async function main(): Promise<number> {
  const begin = Date.now()
  const lack = await missing()
  if (lack !== undefined) {
    say(lack)
    return 1
  }
  const leftovers = watchLeftovers()
  let proof: Proof | Lack
  try {
    proof = await demonstrate(leftovers.look)
  } catch (thrown) {
    if (!(thrown instanceof Lack)) throw thrown
    proof = thrown
  }
  const left = await leftovers.untilNone()
  if (proof instanceof Lack) {
    say(proof.message)
    if (left !== undefined) say(`Left behind: ${left}`)
    return 1
  }
  return summary({ ...proof, left, seconds: (Date.now() - begin) / 1000 })
}

/** Everything from the first namespace to the last is inside; rejects with a `Lack` when this machine forbids it. */
async function demonstrate(look: () => void): Promise<Proof> {
  const town = await buildTown()
  try {
    look()
    say('A pod was made on this machine: a network namespace in which a small shop serves at')
    say(
      `${town.pod.address}:8080. ${names.length} callers with addresses of their own buy there all the time. A twin of the pod,`,
    )
    say('which standin never touches, serves beside it, to compare with.')
    return await prove(town, { standing: look, gone() {} })
  } finally {
    await town.end()
  }
}

// A laptop whose packets to the cluster vanish without a FIN, for good or for a while: nothing is left, or nothing is lost.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Laptop, startLaptop } from '../stage/session-laptop.ts'
import {
  clusterEnvironment,
  isRequest,
  requestsOf,
  type StandinRun,
  StandinRuns,
  serveShop,
  untilCapturedBy,
} from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { type Stand, startStand } from '../stage/session-stand.ts'

/** The agent hears nothing for 11 s before it counts, waits for a minute and for one try more, and then Kubernetes deletes its Job. */
const silentMs = 11_000
const graceMs = 60_000 + 15_000
const deletedMs = 30_000
const cutSeconds = 20

describe('a session on a laptop whose packets are dropped', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let laptop: Laptop
  let shop: Shop
  before(async () => {
    shop = await startShop('laptop')
    laptop = await startLaptop()
  })
  after(async () => {
    await laptop?.end()
    await shop?.end()
  })
  afterEach(async () => {
    await runs.end()
    await laptop.restore()
    await untilNothing('processes of standin', () => processesOf(mark.value), 30_000)
  })

  async function attached(): Promise<StandinRun> {
    const run = runs.exec(shop, serveShop, { args: ['-v'], through: laptop.enter })
    await untilCapturedBy(run)
    return run
  }

  it(`for ${cutSeconds} s goes on when they come again: every request reaches the program, whole and once`, async () => {
    const run = await attached()
    const before = new Set(requestsOf(await shop.served()))
    const calls = shop.call(350, 3, { everyMs: 300 })
    await run.stdout.untilCount('requests before the cut', 10, isRequest)
    await laptop.drop()
    const cut = performance.now()
    await run.stderr.until('that the link is lost', line => /reconnecting/i.test(line), 30_000)
    const leftMs = cut + cutSeconds * 1_000 - performance.now()
    await new Promise(resolve => setTimeout(resolve, leftMs)) // how long the packets are dropped
    await laptop.restore()
    assert.deepEqual(await calls, { answered: 350, wrong: 0, failed: 0, errors: [] })
    await run.stdout.untilCount('requests at the program', 350, isRequest, 60_000)
    const served = requestsOf(await shop.served()).filter(line => !before.has(line))
    assert.deepEqual(requestsOf(run.stdout.all), served)
    run.child.kill('SIGTERM')
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
  }).timeout(240_000)

  it('for good leaves nothing once its client is killed, and callers notice nothing', async () => {
    const stand: Stand = await startStand(shop)
    try {
      const run = await attached()
      await run.stdout.untilCount('requests at the program', 10, isRequest)
      await laptop.drop()
      run.child.kill('SIGKILL')
      await untilNothing('processes of standin', () => processesOf(mark.value), 60_000)
      await stand.assertNothingLeft(silentMs + graceMs + deletedMs)
    } finally {
      await stand.end()
    }
  }).timeout(300_000)
})

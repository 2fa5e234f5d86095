// Parts of the cluster go away under a session: it goes on or says why not, nothing of it stays, and no caller of the pod notices anything.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { startApiServer, stopApiServer } from '../control-plane.ts'
import { nodeNamed } from '../layout.ts'
import { restartKubelet } from '../node.ts'
import { settled } from '../settled.ts'
import { kubectl } from '../stage/kubectl.ts'
import { difference, objects } from '../stage/objects.ts'
import {
  clusterEnvironment,
  isRequest,
  type StandinRun,
  StandinRuns,
  serveShop,
  untilCapturedBy,
} from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { agentPods, type Stand, startStand } from '../stage/session-stand.ts'

/** How long the API server is away; the grace time of the link is 60 s. */
const outageMs = 30_000
const deletedMs = 20_000
/** An agent that no server comes back to ends after the 60 s and the 10 s of a last try, and the cluster removes its Job. */
const graceMs = 70_000 + deletedMs + 10_000

async function untilServed(run: StandinRun, withinMs = 60_000): Promise<void> {
  const before = run.stdout.all.filter(isRequest).length
  await run.stdout.untilCount('requests at the program', before + 10, isRequest, withinMs)
}

/** A run that the callers' requests reach. */
async function attached(runs: StandinRuns, shop: Shop): Promise<StandinRun> {
  const run = runs.exec(shop, serveShop, { args: ['-v'] })
  await untilCapturedBy(run)
  await untilServed(run)
  return run
}

describe('a session through an outage of the cluster leaves it as it was, and its callers served,', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let shop: Shop
  let stand: Stand
  before(async () => {
    shop = await startShop('outages')
    stand = await startStand(shop)
  })
  after(async () => {
    await stand?.end()
    await shop?.end()
  })
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function withoutApiServer(meanwhile: () => Promise<void>): Promise<void> {
    await stopApiServer()
    try {
      await meanwhile()
    } finally {
      await startApiServer()
      await settled()
    }
  }

  it('when the API server is away for 30 s: it goes on with the same agent', async () => {
    const run = await attached(runs, shop)
    const before = await agentPods(shop.namespace)
    await withoutApiServer(() => pause(outageMs)) // how long it is away
    await untilServed(run)
    assert.deepEqual(await agentPods(shop.namespace), before)
    assert.ok(
      run.stderr.all.some(line => /session reconnecting/.test(line)),
      run.stderr.all.join('\n'),
    )
    run.child.kill('SIGTERM')
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    await stand.assertNothingLeft(deletedMs)
  }).timeout(500_000)

  it('when it ends while the API server is away: it says what is left, and that ends by itself', async () => {
    const run = await attached(runs, shop)
    await withoutApiServer(async () => {
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
      assert.match(run.stderr.all.join('\n'), /Job standin-agent-\S+ .*ends by itself/)
    })
    await stand.assertNothingLeft(graceMs)
  }).timeout(500_000)
})

describe("a session whose pod's node starts its kubelet again", () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let shop: Shop
  let stand: Stand
  before(async () => {
    shop = await startShop('kubelet')
    // Not by the service: a kubelet of 1.34 that starts tells now and then that a ready pod is not, with and without a session.
    const [pod] = await shop.pods()
    stand = await startStand(shop, pod!.address)
  })
  after(async () => {
    await runs.end()
    await stand?.end()
    await shop?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  it('goes on, and leaves the cluster as it was, and its callers served', async () => {
    const run = await attached(runs, shop)
    const [pod] = await shop.pods()
    await restartKubelet(nodeNamed(pod!.node))
    await untilServed(run)
    run.child.kill('SIGTERM')
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    await stand.assertNothingLeft(deletedMs)
  }).timeout(180_000)
})

describe('a session whose namespace is deleted under it', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  it('says that its target is gone, lets the command run on, and leaves nothing', async () => {
    const before = await objects()
    const shop = await startShop('deleted')
    try {
      const run = runs.exec(shop, serveShop, { args: ['-v'] })
      await untilCapturedBy(run)
      assert.equal((await shop.call(20, 2)).answered, 20)
      await run.stdout.untilCount('requests at the program', 20, isRequest)
      await kubectl(['delete', 'namespace', shop.namespace, '--timeout=90s'], { timeoutMs: 100_000 })
      const said = `ended: namespace "${shop.namespace}" no longer exists; its commands run on`
      await run.stderr.until('the reason', line => line.includes(said), 120_000)
      assert.equal(run.child.exitCode, null, 'the command was ended')
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    } finally {
      await shop.end()
    }
    assert.deepEqual(difference(before, await objects()), { left: [], taken: [] })
  }).timeout(300_000)
})

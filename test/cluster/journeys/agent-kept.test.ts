// What stays of an agent's Job after its session, by intent or because it could not be deleted, and what the user is told of it.
import assert from 'node:assert/strict'
import type { V1Job } from '@kubernetes/client-node'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type CuttingProxy, startCuttingProxy } from '../stage/cutting-proxy.ts'
import { startTarget } from '../stage/delivered-agent.ts'
import { find, linkTo, nothingLeft, start } from '../stage/found-agent.ts'
import { freshNamespace, kubectl, waitForObject } from '../stage/kubectl.ts'
import { clusterEnvironment, StandinRuns } from '../stage/session-run.ts'

/** Kubernetes' controller for it may be a moment late. */
const ttl = 10
const ttlMs = (ttl + 30) * 1_000

describe("an agent's Job", () => {
  let namespace: { name: string; remove(): Promise<void> }
  before(async () => {
    namespace = await freshNamespace('kept')
    await startTarget(namespace.name, 'shop')
  })
  after(() => namespace.remove())

  function listening() {
    const told: string[] = []
    return { told, tell: (level: string, text: string) => void told.push(`${level}: ${text}`) }
  }
  const nameIn = (told: readonly string[]) => /standin-agent-\w+/.exec(told.at(-1) ?? '')?.[0] ?? ''
  const isFinished = (type: string) => (job: V1Job | undefined) =>
    job?.status?.conditions?.some(each => each.type === type && each.status === 'True') === true

  it('is kept finished with its log for agent.ttl after a stop, and then removed by the cluster', async () => {
    const { told, tell } = listening()
    const agent = await start(await find(namespace.name, 'pod/shop', { config: { ttl } }), { tell })
    const link = await linkTo(agent)
    assert.equal(agent.mustBeAsked, true)
    link.link.endpoint.control({ id: 99, ask: 'end' })
    assert.match(await agent.gone, /exit code 0/)
    link.link.close('the test is over')
    await agent.end()
    assert.match(
      told.at(-1) ?? '',
      /^info: Job standin-agent-\w+ is kept for 10 s after its end \(agent\.ttl\)/,
    )
    const which = ['-n', namespace.name, 'job', nameIn(told)]
    await waitForObject('the finished Job', which, isFinished('Complete'))
    assert.match(await kubectl(['-n', namespace.name, 'logs', `job/${nameIn(told)}`]), /serves pod shop/)
    await waitForObject('the Job to be gone', which, job => job === undefined, ttlMs)
    await nothingLeft(namespace.name)
  }).timeout(120_000)

  it('is kept for agent.ttl after its container crashed while it started', async () => {
    const { told, tell } = listening()
    const config = { ttl, image: 'localhost/pause:3.10' }
    const found = await find(namespace.name, 'pod/shop', { config })
    await assert.rejects(start(found, { tell }), { kind: 'agent-crashed' })
    const which = ['-n', namespace.name, 'job', nameIn(told)]
    await waitForObject('the failed Job', which, isFinished('Failed'))
    await waitForObject('the Job to be gone', which, job => job === undefined, ttlMs)
    await nothingLeft(namespace.name)
  }).timeout(120_000)

  describe('that cannot be deleted', () => {
    let proxy: CuttingProxy
    before(async () => {
      proxy = await startCuttingProxy()
    })
    after(() => proxy.end())

    it('is told with when it ends by itself, and does', async () => {
      const { told, tell } = listening()
      const found = await find(namespace.name, 'pod/shop', { kubeconfig: proxy.kubeconfig })
      const agent = await start(found, { tell })
      proxy.refuse()
      await agent.end()
      assert.match(
        told.at(-1) ?? '',
        /^warning: Job standin-agent-\S+ .*its agent ends by itself 5 s after the session, .*: Cannot reach cluster/,
      )
      await nothingLeft(namespace.name)
    }).timeout(120_000)

    it('is told by the terminal client without -v', async () => {
      const mark = markRun()
      const runs = new StandinRuns(clusterEnvironment(mark.environment, { KUBECONFIG: proxy.kubeconfig }))
      proxy.restore()
      try {
        const run = runs.exec({ namespace: namespace.name, target: 'pod/shop' }, ['sleep', '1000'])
        await run.stderr.until('the session', line => line.includes('standing in for'), 60_000)
        proxy.refuse()
        run.child.kill('SIGTERM')
        await run.code
        assert.match(run.stderr.all.join('\n'), /Job standin-agent-\S+ .*ends by itself/)
      } finally {
        await runs.end()
        await untilNothing('processes of standin', () => processesOf(mark.value))
      }
    }).timeout(120_000)
  })
})

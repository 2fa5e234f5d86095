// The test cluster's own outages: a server or a kubelet that goes and comes back disturbs nobody's pods.
import assert from 'node:assert/strict'
import { startApiServer, stopApiServer } from './control-plane.ts'
import { nodes } from './layout.ts'
import { inNode, restartKubelet } from './node.ts'
import { settled } from './settled.ts'
import { startCaller } from './stage/callers.ts'
import { kubectl } from './stage/kubectl.ts'

// Only where the cluster is ours: run-journeys.ts leaves these out where KUBECONFIG names another.
describe('an outage of the test cluster', () => {
  it('the API server goes and comes back, and callers in the cluster see no failed request', async () => {
    const caller = await startCaller({ namespace: 'shop', url: 'http://web/', name: 'outage-caller' })
    try {
      await stopApiServer()
      await assert.rejects(kubectl(['get', '--raw', '/readyz'], { timeoutMs: 5000 }), /refused|reset/)
    } finally {
      await startApiServer()
      await settled()
    }
    const { fresh, kept } = await caller.stop()
    assert.deepEqual([fresh.failures, kept.failures], [[], []])
  }).timeout(500_000)

  it('a kubelet starts again, and its pods run on as they were', async () => {
    const [node] = nodes
    const running = (): Promise<string> => inNode(node!, ['sh', '-c', 'pgrep -x node; pgrep -x nginx; true'])
    const before = await running()
    assert.match(before, /\d/)
    await restartKubelet(node!)
    assert.equal(await running(), before)
  })
})

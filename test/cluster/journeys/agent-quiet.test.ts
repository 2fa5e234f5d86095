// What a target notices of the agent that looks at it: no connection, no packet, no probe.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { freshNamespace } from '../stage/kubectl.ts'
import { type QuietPod, startQuietPod } from '../stage/quiet-pod.ts'
import {
  clusterEnvironment,
  type StandinRun,
  StandinRuns,
  serveShop,
  untilCapturedBy,
} from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

/** Three heartbeats of the link. */
const idleMs = 16_000

describe('a pod that a session looks at', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let namespace: string
  let remove: () => Promise<void>
  let quiet: QuietPod
  let inside: QuietPod
  let probed: QuietPod
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('quiet'))
    ;[quiet, inside, probed] = await Promise.all([
      startQuietPod(namespace, 'quiet'),
      startQuietPod(namespace, 'inside'),
      startQuietPod(namespace, 'probed', { probed: true }),
    ])
  })
  after(() => remove?.())

  async function attach(pod: QuietPod, ...args: string[]): Promise<StandinRun> {
    const run = runs.exec({ namespace, target: `pod/${pod.name}` }, serveShop, { args: ['-v', ...args] })
    await untilCapturedBy(run)
    return run
  }

  it('receives and sends not one packet of the agent, from before it comes until after it is gone; a probe comes as ever', async () => {
    const before = await Promise.all([quiet, inside].map(pod => pod.counters()))
    const peersBefore = new Set(await probed.accepted())
    const all = await Promise.all([attach(quiet), attach(inside, '--ephemeral'), attach(probed)])
    await new Promise(resolve => setTimeout(resolve, idleMs)) // how long the sessions idle
    const idle = await quiet.counters()
    for (const run of all) {
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    }
    await untilNoAgents(namespace)
    assert.deepEqual(idle, before[0])
    assert.deepEqual(await quiet.counters(), before[0])
    assert.deepEqual([await quiet.accepted(), await inside.accepted()], [[], []])
    // In the pod itself the link ends at its loopback, and nowhere else.
    const { ip, lo } = await inside.counters()
    const packets = (counters: { ip: number[]; lo: number[] }) => counters.ip[0]! - counters.lo[1]!
    assert.equal(packets({ ip, lo }), packets(before[1]!), 'packets that are not of loopback')
    const peers = new Set(await probed.accepted())
    assert.deepEqual([...peers], [...peersBefore])
    assert.equal(peers.size, 1)
    assert.match([...peers][0]!, / kube-probe\//)
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })
})

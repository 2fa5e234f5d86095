// The lease of an agent's Job on a real cluster: its deadline is moved on while the session lives, by the cluster's clock.
import assert from 'node:assert/strict'
import { uptime } from 'node:os'
import type { V1Job } from '@kubernetes/client-node'
import { Lease } from '../../../server/kubernetes/agent/lease.ts'
import { until } from '../run.ts'
import { openTestApi } from '../stage/channel-pod.ts'
import { startTarget } from '../stage/delivered-agent.ts'
import { attached, find, linkTo, nothingLeft, start } from '../stage/found-agent.ts'
import { freshNamespace, objectOf } from '../stage/kubectl.ts'

const agentSelector = 'app.kubernetes.io/name=standin-agent'

describe("the Job of a session's agent", () => {
  let namespace: { name: string; remove(): Promise<void> }
  before(async () => {
    namespace = await freshNamespace('agent-lease')
    await startTarget(namespace.name, 'shop')
  })
  after(() => namespace.remove())

  const listOf = async (...which: string[]) => (await objectOf(['-n', namespace.name, ...which]))?.items ?? []

  it('moves its deadline on, and takes its age from the cluster', async () => {
    const { agent, link } = await attached(namespace.name, 'pod/shop/container/web')
    const [job] = (await listOf('jobs', '-l', agentSelector)) as V1Job[]
    const api = await openTestApi()
    const log = { level: 'error', write: () => {}, close: () => {} } as const
    const { name = '', uid } = job?.metadata ?? {}
    const identity = { namespace: namespace.name, name, uid }
    // A machine that slept for a day, and one whose count is a day ahead.
    const asleep = new Lease(api, identity, log, { seconds: -86_400, atUptime: uptime() })
    const ahead = new Lease(api, identity, log, { seconds: 86_400, atUptime: uptime() })
    try {
      for (const lease of [asleep, ahead]) {
        await lease.renew()
        const moved = await objectOf(['-n', namespace.name, 'job', name])
        const left = moved.spec.activeDeadlineSeconds
        assert.ok(left >= 600 && left < 660, `the deadline is ${left} s`)
      }
    } finally {
      asleep.end()
      ahead.end()
      api.close()
      link.link.close('the test is over')
      await agent.end()
    }
    await nothingLeft(namespace.name)
  })

  it('is kept from its deadline by a timer alone while its session only idles, and no longer than that', async () => {
    const found = await find(namespace.name, 'pod/shop/container/web')
    const began = Date.now()
    const agent = await start(found, { leaseTiming: { lookMs: 200, renewSeconds: 2 } })
    const link = await linkTo(agent)
    const [job] = (await listOf('jobs', '-l', agentSelector)) as V1Job[]
    const deadline = async () => {
      const seen: V1Job | undefined = await objectOf(['-n', namespace.name, 'job', job!.metadata!.name!])
      return seen?.spec?.activeDeadlineSeconds ?? 0
    }
    const deadlines = new Set<number>()
    await until('two renewals', 20_000, async () => {
      deadlines.add(await deadline())
      return deadlines.size >= 3
    })
    const seen = [...deadlines]
    assert.deepEqual(
      seen,
      [...seen].sort((one, other) => one - other),
      'it only moves on',
    )
    const age = Math.ceil((Date.now() - began) / 1_000)
    const last = seen.at(-1)!
    assert.ok(last > 600 && last <= 601 + age, `the deadline is ${last} s, the Job at most ${age} s old`)
    link.link.close('the test is over')
    await agent.end()
    await nothingLeft(namespace.name)
  })
})

// What describe knows beforehand of a real cluster's admission, by dry runs that make nothing.
import assert from 'node:assert/strict'
import type { AgentConfig } from '../../../protocol/config.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { openApi } from '../../../server/kubernetes/client/open.ts'
import { describeClusterTarget } from '../../../server/kubernetes/targets/describe.ts'
import { openLog } from '../../../server/log.ts'
import { startTarget } from '../stage/delivered-agent.ts'
import { apply, freshNamespace, kubeconfig, kubectl, waitForObject } from '../stage/kubectl.ts'
import { objects } from '../stage/objects.ts'

describe('describe, of what the cluster would refuse,', () => {
  let namespace: { name: string; remove(): Promise<void> }
  let api: Api
  before(async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'baseline' }
    namespace = await freshNamespace('admission', labels)
    await startTarget(namespace.name, 'shop')
    api = await openApi({ kubeconfig }, { log: openLog({ level: 'error' }) })
  })
  after(async () => {
    api?.close()
    await namespace?.remove()
  })

  async function fixes(agent: AgentConfig): Promise<string[]> {
    const image = 'localhost/node:20'
    const signal = AbortSignal.timeout(30_000)
    const of = { target: 'pod/shop', namespace: namespace.name, agent: { image, ...agent }, signal }
    const { needs } = await describeClusterTarget(api, of)
    return needs.flatMap(({ granted, fix = '' }) => (granted ? [] : [fix]))
  }
  const agents = async () =>
    (await objects({ namespaces: [namespace.name] })).filter(name => /standin/.test(name))

  it('tells Pod Security, of a Job and of an ephemeral container, and makes neither', async () => {
    for (const agent of [{}, { ephemeral: true }]) {
      const found = await fixes(agent)
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0]!, /violates PodSecurity "baseline:latest"/)
    }
    assert.deepEqual(await agents(), [])
    const pod = JSON.parse(await kubectl(['-n', namespace.name, 'get', 'pod', 'shop', '-o', 'json']))
    assert.equal(pod.spec.ephemeralContainers, undefined)
  })

  it('tells a quota that has no room for a Job', async () => {
    const metadata = { name: 'none', namespace: namespace.name }
    await apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata,
      spec: { hard: { 'count/jobs.batch': '0' } },
    })
    await waitForObject(
      'the quota to count',
      ['-n', namespace.name, 'resourcequota', 'none'],
      quota => quota?.status?.hard !== undefined,
    )
    const found = await fixes({})
    assert.ok(
      found.some(fix => /exceeded quota: none/.test(fix)),
      found.join('\n'),
    )
  })
}).timeout(120_000)

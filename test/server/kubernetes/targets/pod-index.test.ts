// How the pods of a list are found by their workload.
import assert from 'node:assert/strict'
import type { ClusterKind } from '../../../../server/kubernetes/targets/kinds.ts'
import { PodIndex, podRow, podTarget } from '../../../../server/kubernetes/targets/pod-index.ts'
import type { Workload } from '../../../../server/kubernetes/targets/workload-state.ts'

const pod = (
  name: string,
  of: { labels?: Record<string, string>; owner?: [string, string, string] } = {},
) => {
  const [kind = '', ownerName = '', uid = ''] = of.owner ?? []
  const ownerReferences = of.owner && [{ apiVersion: 'v1', kind, name: ownerName, uid, controller: true }]
  return podRow({
    metadata: { name, namespace: 'shop', labels: of.labels, ownerReferences },
    spec: { containers: [{ name: 'web', ports: [{ containerPort: 80 }] }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  })
}
const index = new PodIndex()
for (const row of [
  pod('web-7f9-a', {
    labels: { app: 'web', 'pod-template-hash': '7f9' },
    owner: ['ReplicaSet', 'web-7f9', 'rs1'],
  }),
  pod('web-worker-7f9-a', {
    labels: { 'pod-template-hash': '7f9' },
    owner: ['ReplicaSet', 'web-worker-7f9', 'rs2'],
  }),
  pod('import-a', { owner: ['Job', 'import', 'j1'] }),
  pod('single', { labels: { app: 'web' } }),
])
  index.add(row)
const of = (kind: ClusterKind, name: string, workload: Workload = {}) =>
  index
    .of(kind, { ...workload, metadata: { name, namespace: 'shop', ...workload.metadata } })
    .map(row => row.name)

describe('PodIndex', () => {
  it('finds the pods of a deployment and of its replica set, and no pod of one whose name goes on', () => {
    assert.deepEqual(of('deployment', 'web'), ['web-7f9-a'])
    assert.deepEqual(of('replicaset', 'web-7f9', { metadata: { uid: 'rs1' } }), ['web-7f9-a'])
    assert.deepEqual(of('deployment', 'web-worker'), ['web-worker-7f9-a'])
  })
  it('finds the pods of the jobs that a cron job runs', () => {
    assert.deepEqual(of('cronjob', 'nightly', { status: { active: [{ name: 'import', uid: 'j1' }] } }), [
      'import-a',
    ])
    assert.deepEqual(of('cronjob', 'nightly', { status: {} }), [])
  })
  it('finds what a service selects, whoever owns it, and nothing for one that selects nothing', () => {
    assert.deepEqual(of('service', 'web', { spec: { selector: { app: 'web' } } }), ['web-7f9-a', 'single'])
    assert.deepEqual(of('service', 'web', { spec: { selector: {} } }), [])
    assert.deepEqual(of('service', 'web', { spec: {} }), [])
  })
  it('finds nothing in another namespace', () => {
    assert.deepEqual(of('deployment', 'web', { metadata: { name: 'web', namespace: 'other' } }), [])
  })
})

describe('podRow() and podTarget()', () => {
  it('keep what a list shows, and mark the pods of agents', () => {
    assert.deepEqual(podTarget(pod('single')), {
      ...{ target: 'pod/single', kind: 'pod', name: 'single', namespace: 'shop' },
      ...{ ready: true, ports: [80], containers: ['web'] },
    })
    const labels = { 'app.kubernetes.io/name': 'standin-agent', 'app.kubernetes.io/managed-by': 'standin' }
    assert.deepEqual([pod('a', { labels }).ours, pod('a').ours], [true, false])
  })
})

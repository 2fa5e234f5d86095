// Which workloads are listed, and how one becomes a target.
import assert from 'node:assert/strict'
import { isListed, workloadTarget } from '../../../../server/kubernetes/targets/workload-target.ts'

const owned = (kind: string) => ({
  metadata: { ownerReferences: [{ apiVersion: 'v1', kind, name: 'x', uid: 'u', controller: true }] },
})
const template = { spec: { containers: [{ name: 'web', ports: [{ containerPort: 80 }] }] } }

describe('isListed()', () => {
  it('leaves out replica sets of deployments and rollouts, unless they are asked for', () => {
    for (const kind of ['Deployment', 'Rollout']) {
      assert.equal(isListed('replicaset', owned(kind), false), false)
      assert.equal(isListed('replicaset', owned(kind), true), true)
    }
    assert.equal(isListed('replicaset', {}, false), true)
    assert.equal(isListed('job', owned('CronJob'), false), true)
  })
  it('never lists what is ours', () => {
    const labels = { 'app.kubernetes.io/name': 'standin-agent', 'app.kubernetes.io/managed-by': 'standin' }
    assert.equal(isListed('job', { metadata: { labels } }, true), false)
  })
})

describe('workloadTarget()', () => {
  const metadata = { name: 'shop', namespace: 'n' }
  it('is known without its pods when its status says enough', () => {
    const ready = { metadata, spec: { template }, status: { replicas: 2, readyReplicas: 1 } }
    assert.deepEqual(workloadTarget('deployment', ready), {
      ...{ target: 'deployment/shop', kind: 'deployment', name: 'shop', namespace: 'n' },
      ...{ ready: true, ports: [80], containers: ['web'], pods: { ready: 1, total: 2 } },
    })
    const atRest = { metadata, spec: { template, replicas: 0 }, status: {} }
    assert.equal(workloadTarget('deployment', atRest)?.reason, 'scaled to 0')
  })
  it('waits for its pods when none is ready, or when its status does not count them', () => {
    assert.equal(workloadTarget('deployment', { metadata, status: { replicas: 1 } }), undefined)
    assert.equal(workloadTarget('service', { metadata, spec: { selector: { a: 'b' } } }), undefined)
  })
  it('tells what its unready pod says', () => {
    const row = {
      ...{ namespace: 'n', name: 'shop-1', labels: {}, owners: [], controllerUid: undefined, ours: false },
      ...{ ports: [80], containers: ['web'], state: { ready: false, reason: 'it is broken' } },
    }
    const told = workloadTarget('statefulset', { metadata, spec: { replicas: 1 }, status: { replicas: 1 } }, [
      row,
    ])
    assert.equal(told?.reason, '0 of 1 ready: pod shop-1: it is broken')
  })
  it('has the ports that a service without pods leads to, TCP ones, each once', () => {
    const ports = [
      { port: 80, targetPort: 8080 },
      { port: 81, targetPort: 'http' },
      { port: 53, protocol: 'UDP' },
      { port: 8080 },
    ]
    assert.deepEqual(workloadTarget('service', { metadata, spec: { ports } }, [])?.ports, [81, 8080])
  })
})

// Whether a workload is ready, and in which words it is not.
import assert from 'node:assert/strict'
import type { ClusterKind } from '../../../../server/kubernetes/targets/kinds.ts'
import {
  countedPods,
  type Workload,
  workloadState,
} from '../../../../server/kubernetes/targets/workload-state.ts'

const none = { ready: 0, total: 0 }
const reason = (kind: ClusterKind, workload: Workload, pods = none, told?: string) =>
  workloadState(kind, workload, pods, told).reason

describe('countedPods()', () => {
  it('reads the counts of each kind from its own status', () => {
    assert.deepEqual(countedPods('deployment', { status: { replicas: 3, readyReplicas: 2 } }), {
      ready: 2,
      total: 3,
    })
    const daemons = { currentNumberScheduled: 2, numberReady: 1, desiredNumberScheduled: 4 }
    assert.deepEqual(countedPods('daemonset', { status: daemons }), { ready: 1, total: 2 })
    assert.deepEqual(countedPods('job', { status: { active: 2, ready: 1 } }), { ready: 1, total: 2 })
    assert.deepEqual(countedPods('rollout', {}), none)
  })
  it('counts nothing for kinds whose status does not', () => {
    for (const kind of ['service', 'cronjob', 'pod'] as const) assert.equal(countedPods(kind, {}), undefined)
  })
})

describe('workloadState()', () => {
  it('is ready with one ready pod, whatever else is said', () => {
    assert.deepEqual(workloadState('deployment', {}, { ready: 1, total: 3 }, 'pod x: broken'), {
      ready: true,
    })
  })
  it('tells of what should have no pod', () => {
    assert.equal(reason('deployment', { spec: { replicas: 0 } }), 'scaled to 0')
    assert.equal(reason('daemonset', { status: { desiredNumberScheduled: 0 } }), 'no node fits it')
    assert.equal(reason('job', { spec: { suspend: true } }), 'suspended')
    const over = (type: string, more = {}) => ({ conditions: [{ type, status: 'True', ...more }] })
    assert.equal(reason('job', { status: over('Complete') }), 'completed')
    assert.equal(
      reason('job', { status: over('Failed', { reason: 'BackoffLimitExceeded', message: 'too often' }) }),
      'failed: BackoffLimitExceeded: too often',
    )
    assert.equal(reason('cronjob', {}), 'no job of it runs (it never ran one)')
    const lastScheduleTime = '2026-01-01T00:00:00Z'
    assert.equal(
      reason('cronjob', { spec: { suspend: true }, status: { lastScheduleTime } }),
      'suspended (the last began at 2026-01-01T00:00:00Z)',
    )
    assert.equal(reason('service', { spec: {} }), 'it selects no pods: it has no selector')
    assert.equal(
      reason('service', { spec: { type: 'ExternalName', externalName: 'db.example.com' } }),
      'it selects no pods: it is another name of "db.example.com"',
    )
  })
  it('still counts pods that are on their way out of what was scaled to 0', () => {
    const workload = { spec: { replicas: 0 }, status: { replicas: 1 } }
    assert.equal(reason('deployment', workload, { ready: 0, total: 1 }), '0 of 1 ready')
  })
  it('counts the pods that are not ready, with what one of them says', () => {
    const told = 'pod shop-7f9: container "web": ErrImagePull'
    assert.equal(
      reason('deployment', { spec: { replicas: 3 } }, { ready: 0, total: 1 }, told),
      `0 of 3 ready: ${told}`,
    )
    assert.equal(reason('statefulset', {}), 'it has no pod')
    assert.equal(
      reason('service', { spec: { selector: { app: 'x' } } }),
      'no pod has the labels that it selects',
    )
  })
  it('says what its own conditions say when it has no pod to tell', () => {
    const conditions = [
      { type: 'Progressing', status: 'False', message: 'has timed out progressing' },
      { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: small' },
    ]
    const spec = { replicas: 2 }
    assert.equal(
      reason('deployment', { spec, status: { conditions } }),
      '0 of 2 ready: exceeded quota: small',
    )
    const [stuck] = conditions
    assert.equal(
      reason('deployment', { spec, status: { conditions: [stuck!] } }),
      '0 of 2 ready: has timed out progressing',
    )
    assert.equal(reason('rollout', { spec, status: { message: 'paused' } }), '0 of 2 ready: paused')
  })
})

// Whether a pod is ready, and in which words it is not.
import assert from 'node:assert/strict'
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { clip, containerReason, podState } from '../../../../server/kubernetes/targets/pod-state.ts'

type Status = NonNullable<V1Pod['status']>
type Container = Partial<V1ContainerStatus>

const container = (of: Container): V1ContainerStatus => ({
  ...{ name: 'web', image: 'x', imageID: 'x', ready: false, restartCount: 0, ...of },
})
const condition = (type: string, status: string, more = {}) => ({ type, status, ...more })
const pending = (status: Partial<Status>, spec: Partial<NonNullable<V1Pod['spec']>> = {}) =>
  podState({ spec: { containers: [{ name: 'web' }], ...spec }, status: { phase: 'Pending', ...status } })
    .reason
const running = { state: { running: {} } }

describe('podState()', () => {
  it('is ready when the pod runs and says so', () => {
    const status = { phase: 'Running', conditions: [condition('Ready', 'True')] }
    assert.deepEqual(podState({ status }), { ready: true })
  })
  it('is not ready while it is deleted, whatever else it says', () => {
    const status = { phase: 'Running', conditions: [condition('Ready', 'True')] }
    const metadata = { deletionTimestamp: new Date() }
    assert.deepEqual(podState({ metadata, status }), { ready: false, reason: 'it is being deleted' })
  })
  it('says how it ended', () => {
    assert.equal(podState({ status: { phase: 'Succeeded' } }).reason, 'completed')
    const evicted = { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' }
    assert.equal(podState({ status: evicted }).reason, 'failed: Evicted: The node was low on memory.')
    const terminated = { exitCode: 7, reason: 'Error' }
    const containerStatuses = [container({ state: { terminated } })]
    assert.equal(
      podState({ status: { phase: 'Failed', containerStatuses } }).reason,
      'failed: container "web": Error: exit code 7',
    )
  })
  it('says why no node takes it', () => {
    const conditions = [
      condition('PodScheduled', 'False', { reason: 'Unschedulable', message: '0/2 nodes are available' }),
    ]
    assert.equal(pending({ conditions }), 'Unschedulable: 0/2 nodes are available')
  })
  it('names the init container that it waits for, and why that waits', () => {
    const initContainers = [{ name: 'migrate' }]
    const initContainerStatuses = [container({ name: 'migrate', ...running })]
    assert.equal(
      pending({ initContainerStatuses }, { initContainers }),
      'init container "migrate" has not finished',
    )
    const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 10s' }
    const crashing = [container({ name: 'migrate', state: { waiting } })]
    assert.equal(
      pending({ initContainerStatuses: crashing }, { initContainers }),
      'init container "migrate": CrashLoopBackOff: back-off 10s',
    )
  })
  it('waits for a native sidecar to start, not to end', () => {
    const initContainers = [{ name: 'proxy', restartPolicy: 'Always' }]
    const started = [container({ name: 'proxy', started: true, ...running })]
    const containerStatuses = [container({ state: { waiting: { reason: 'ErrImagePull' } } })]
    assert.equal(
      pending({ initContainerStatuses: started, containerStatuses }, { initContainers }),
      'container "web": ErrImagePull',
    )
  })
  it('tells of the container that is broken rather than of one that waits for its turn', () => {
    const containerStatuses = [
      container({ name: 'web', state: { waiting: { reason: 'ContainerCreating' } } }),
      container({ name: 'admin', state: { waiting: { reason: 'ImagePullBackOff', message: 'no "x"' } } }),
    ]
    assert.equal(pending({ containerStatuses }), 'container "admin": ImagePullBackOff: no "x"')
  })
  it('tells which probe a container that runs has not passed', () => {
    const probes = (of: object) => ({ containers: [{ name: 'web', ...of }] })
    const readinessProbe = { exec: {} }
    const containerStatuses = [container({ ...running, started: true })]
    assert.equal(
      pending({ containerStatuses }, probes({ readinessProbe })),
      'container "web" runs, but its readiness probe does not succeed',
    )
    const unstarted = [container({ ...running, started: false })]
    assert.equal(
      pending({ containerStatuses: unstarted }, probes({ readinessProbe, startupProbe: { exec: {} } })),
      'container "web" runs, but its startup probe has not succeeded',
    )
    assert.equal(pending({ containerStatuses }, probes({})), 'container "web" runs, but is not ready')
  })
  it('names a readiness gate that nobody has opened', () => {
    const readinessGates = [{ conditionType: 'example.com/open' }]
    const containerStatuses = [container({ ...running, ready: true })]
    assert.equal(
      pending({ containerStatuses }, { readinessGates }),
      'its readiness gate "example.com/open" is not true',
    )
  })
  it('falls back to what the condition or the pod says, and always says something', () => {
    const conditions = [condition('Ready', 'False', { reason: 'NodeNotReady', message: 'kubelet is silent' })]
    assert.equal(pending({ conditions }), 'NodeNotReady: kubelet is silent')
    assert.equal(pending({ reason: 'NodeLost' }), 'NodeLost')
    assert.equal(podState({}).reason, 'not started')
  })
})

describe('containerReason()', () => {
  it('adds how a crashing container ended, and takes the ids from the words of the kubelet', () => {
    const waiting = {
      reason: 'CrashLoopBackOff',
      message: 'back-off 40s restarting failed container=web pod=web-1_shop(1c2d-3e)',
    }
    const lastState = { terminated: { exitCode: 3 } }
    assert.equal(
      containerReason(container({ state: { waiting }, lastState })),
      'container "web": CrashLoopBackOff: back-off 40s restarting failed (it ended with exit code 3)',
    )
  })
  it('says that a container of which nothing is known does not run', () => {
    assert.equal(containerReason(container({})), 'container "web": it does not run')
  })
})

describe('clip()', () => {
  it('makes one line of at most 240 characters', () => {
    assert.equal(clip(' a\n\n b\t'), 'a b')
    assert.equal(clip('x'.repeat(1_000)).length, 243)
  })
})

// Which pod and container of a target is taken, what is said of the others, and why there is none.
import assert from 'node:assert/strict'
import type { V1Pod } from '@kubernetes/client-node'
import {
  candidatesOf,
  choiceNotices,
  knownContainers,
  noCandidateReason,
  runtimeId,
} from '../../../../server/kubernetes/targets/candidates.ts'

type Options = { age?: number; ready?: boolean; containers?: string[]; phase?: string; deleted?: boolean }

function pod(name: string, options: Options = {}): V1Pod {
  const { age = 0, ready = true, containers = ['web'], phase = 'Running', deleted = false } = options
  const containerStatuses = containers.map(each => ({
    ...{ name: each, image: 'x', imageID: 'x', ready, restartCount: 0, state: { running: {} } },
    containerID: `containerd://${name}-${each}`,
  }))
  // The API server's JSON is text where the types say Date.
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1) - age * 1_000).toISOString() as unknown as Date
  return {
    metadata: { name, creationTimestamp, ...(deleted ? { deletionTimestamp: new Date() } : {}) },
    spec: { containers: containers.map(each => ({ name: each })) },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }], containerStatuses },
  }
}

const names = (of: { pod: V1Pod }[]) => of.map(({ pod: each }) => each.metadata?.name)

describe('candidatesOf()', () => {
  it('has the oldest first, and by name those of one second, in whatever order they come', () => {
    const pods = [pod('c'), pod('a'), pod('old', { age: 60 }), pod('b')]
    for (const order of [pods, [...pods].reverse()])
      assert.deepEqual(names(candidatesOf(order, undefined).candidates), ['old', 'a', 'b', 'c'])
  })
  it("knows the container by the runtime's own id", () => {
    const [first] = candidatesOf([pod('a')], undefined).candidates
    assert.deepEqual(first?.container, { name: 'web', id: 'a-web' })
  })
  it('passes pods that cannot be taken, each with its reason', () => {
    const unstarted = pod('d')
    unstarted.status!.containerStatuses = []
    const crashed = pod('e', { containers: ['web', 'admin'] })
    crashed.status!.containerStatuses![1]!.state = { terminated: { exitCode: 1, reason: 'Error' } }
    const passed = [
      ...candidatesOf([pod('a', { ready: false })], undefined).passed,
      ...candidatesOf([pod('b', { deleted: true })], undefined).passed,
      ...candidatesOf([pod('c')], 'admin').passed,
      ...candidatesOf([unstarted], undefined).passed,
      ...candidatesOf([crashed], 'admin').passed,
    ]
    assert.deepEqual(
      passed.map(({ reason }) => reason),
      [
        'container "web" runs, but is not ready',
        'it is being deleted',
        'it has no container "admin"',
        'container "web" has not been started',
        'container "admin": Error: exit code 1',
      ],
    )
  })
})

describe('choiceNotices()', () => {
  const noticesOf = (pods: V1Pod[], container?: string) => {
    const others = candidatesOf(pods, container)
    return choiceNotices(others.candidates[0]!, others)
  }
  it('says nothing where there was no choice', () => {
    assert.deepEqual(noticesOf([pod('a')]), [])
    assert.deepEqual(noticesOf([pod('a', { containers: ['web', 'istio-proxy'] })]), [])
  })
  it('says which pod was taken, of how many, and how many of the others are not ready', () => {
    assert.deepEqual(noticesOf([pod('a'), pod('b')]), ['Pod a of 2 is taken; the other one is not'])
    assert.deepEqual(noticesOf([pod('a'), pod('b', { ready: false })]), [
      'Pod a of 2 is taken; the other one is not (not ready)',
    ])
    assert.deepEqual(noticesOf([pod('a'), pod('b'), pod('c', { ready: false })]), [
      'Pod a of 3 is taken; the other 2 are not (1 of them not ready)',
    ])
  })
  it('does not count pods that have ended or are deleted', () => {
    assert.deepEqual(noticesOf([pod('a'), pod('b', { phase: 'Succeeded' }), pod('c', { deleted: true })]), [])
  })
  it('says which container was taken, and how another is named', () => {
    assert.deepEqual(noticesOf([pod('a', { containers: ['web', 'admin'] })]), [
      'Container web of pod a is taken, the first of 2; name another with "/container/admin"',
    ])
    assert.deepEqual(noticesOf([pod('a', { containers: ['web', 'admin'] })], 'web'), [])
  })
})

describe('noCandidateReason()', () => {
  it('tells of the pod that tries to run, before one that ended, before one that is deleted', () => {
    const { passed } = candidatesOf(
      [
        pod('gone', { age: 9, deleted: true }),
        pod('over', { age: 8, phase: 'Failed' }),
        pod('new', { ready: false }),
      ],
      undefined,
    )
    assert.equal(
      noCandidateReason(passed, 'none'),
      'none of its 3 pods is ready, pod new: container "web" runs, but is not ready',
    )
    assert.match(
      noCandidateReason(passed.slice(0, 2), 'none'),
      /^none of its 2 pods is ready, pod over: failed/,
    )
    assert.equal(noCandidateReason(passed.slice(0, 1), 'none'), 'pod gone: it is being deleted')
    assert.equal(noCandidateReason([], 'scaled to 0'), 'scaled to 0')
  })
})

describe('runtimeId() and knownContainers()', () => {
  it('leave the name of the runtime out', () => {
    assert.equal(runtimeId('containerd://4f1c'), '4f1c')
    assert.equal(runtimeId('cri-o://4f1c'), '4f1c')
    assert.equal(runtimeId(''), undefined)
    assert.equal(runtimeId(undefined), undefined)
  })
  it('name each container of all pods once', () => {
    assert.deepEqual(knownContainers([pod('a'), pod('b', { containers: ['web', 'admin'] })]), [
      'web',
      'admin',
    ])
  })
})

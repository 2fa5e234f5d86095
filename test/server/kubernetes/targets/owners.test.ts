// How a pod leads to the workload that it belongs to.
import assert from 'node:assert/strict'
import { controllerOf, ownershipOf, workloadKey } from '../../../../server/kubernetes/targets/owners.ts'

const ref = (kind: string, name: string, uid = 'u1', controller = true) => ({
  ...{ apiVersion: 'apps/v1', kind, name, uid, controller },
})
const shop = { kind: 'deployment', name: 'shop', uid: 'd1' } as const

describe('ownershipOf()', () => {
  it('knows a pod of a deployment by the name of its replica set, without asking', () => {
    const labels = { 'pod-template-hash': '7f9' }
    const owned = { labels, ownerReferences: [ref('ReplicaSet', 'shop-7f9')] }
    assert.deepEqual(ownershipOf(owned, shop), { owned: true })
  })
  it('knows a pod of a rollout by its own label', () => {
    const metadata = {
      labels: { 'rollouts-pod-template-hash': '6f9d', 'pod-template-hash': 'x' },
      ownerReferences: [ref('ReplicaSet', 'canary-6f9d')],
    }
    assert.deepEqual(ownershipOf(metadata, { kind: 'rollout', name: 'canary', uid: 'r1' }), { owned: true })
    assert.deepEqual(ownershipOf(metadata, { kind: 'deployment', name: 'canary', uid: 'd' }), {
      through: 'canary-6f9d',
    })
  })
  it('leaves a replica set of another name to be asked', () => {
    const adopted = { labels: { 'pod-template-hash': '7f9' }, ownerReferences: [ref('ReplicaSet', 'legacy')] }
    assert.deepEqual(ownershipOf(adopted, shop), { through: 'legacy' })
    assert.deepEqual(ownershipOf({ ownerReferences: [ref('ReplicaSet', 'shop-7f9')] }, shop), {
      through: 'shop-7f9',
    })
  })
  it('is not fooled by a foreign pod that wears the labels', () => {
    assert.deepEqual(ownershipOf({ labels: { app: 'shop' } }, shop), { owned: false })
    assert.deepEqual(ownershipOf({ ownerReferences: [ref('StatefulSet', 'shop-7f9')] }, shop), {
      owned: false,
    })
    const owner = { kind: 'statefulset', name: 'db', uid: 's1' } as const
    assert.deepEqual(ownershipOf({ ownerReferences: [ref('StatefulSet', 'db', 's2')] }, owner), {
      owned: false,
    })
    assert.deepEqual(ownershipOf({ ownerReferences: [ref('StatefulSet', 'db', 's1')] }, owner), {
      owned: true,
    })
    const watcher = { ownerReferences: [ref('StatefulSet', 'db', 's1', false)] }
    assert.deepEqual(ownershipOf(watcher, owner), { owned: false })
  })
  it('takes each pod that a service selects', () => {
    assert.deepEqual(ownershipOf({}, { kind: 'service', name: 'shop', uid: 'v1' }), { owned: true })
  })
})

describe('controllerOf() and workloadKey()', () => {
  it('take the one owner that controls', () => {
    const metadata = { ownerReferences: [ref('Node', 'n', 'n1', false), ref('Job', 'import')] }
    assert.equal(controllerOf(metadata)?.name, 'import')
    assert.deepEqual(workloadKey(metadata), { kind: 'Job', name: 'import' })
    assert.equal(workloadKey({}), undefined)
  })
  it('see the deployment or rollout behind a replica set that follows the naming', () => {
    const of = (label: string, name: string) =>
      workloadKey({ labels: { [label]: '7f9' }, ownerReferences: [ref('ReplicaSet', name)] })
    assert.deepEqual(of('pod-template-hash', 'a-b-7f9'), { kind: 'Deployment', name: 'a-b' })
    assert.deepEqual(of('rollouts-pod-template-hash', 'a-7f9'), { kind: 'Rollout', name: 'a' })
    assert.deepEqual(of('pod-template-hash', 'legacy'), { kind: 'ReplicaSet', name: 'legacy' })
  })
})

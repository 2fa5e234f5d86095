// Pods that no agent can stand beside: Windows, virtual nodes, sandboxes.
import assert from 'node:assert/strict'
import type { V1Node, V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../../protocol/errors.ts'
import { placeNotices, sandboxed, unsupported } from '../../../../server/kubernetes/agent/supported.ts'

const pod = (spec: Partial<NonNullable<V1Pod['spec']>>, labels = {}): V1Pod => ({
  metadata: { name: 'web', labels },
  spec: { containers: [], nodeName: 'node-a', ...spec },
})
const linux: V1Node = { metadata: { labels: { 'kubernetes.io/os': 'linux' } } }

describe('unsupported()', () => {
  it('leaves a pod on an ordinary node alone, whether its node can be read or not', () => {
    assert.equal(unsupported(pod({}), linux), undefined)
    assert.equal(unsupported(pod({}), undefined), undefined)
  })
  it('refuses Windows, by the pod or by its node', () => {
    const byPod = unsupported(pod({ os: { name: 'windows' } }), undefined)
    assert.equal(byPod?.kind, 'pod-unsupported')
    assert.match(byPod?.message ?? '', /runs on Windows \(node "node-a"\)/)
    assert.ok(unsupported(pod({}), { metadata: { labels: { 'kubernetes.io/os': 'windows' } } }))
    assert.ok(unsupported(pod({ nodeSelector: { 'kubernetes.io/os': 'windows' } }), undefined))
  })
  it('refuses Windows by the label of a node whose kubelet has told nothing of itself', () => {
    const nodeInfo = { operatingSystem: '' } as NonNullable<V1Node['status']>['nodeInfo']
    const node = { metadata: { labels: { 'kubernetes.io/os': 'windows' } }, status: { nodeInfo: nodeInfo! } }
    assert.ok(unsupported(pod({}), node))
  })
  it('refuses virtual nodes, also for users who may not read nodes', () => {
    const taints = [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }]
    assert.match(
      unsupported(pod({}), { spec: { taints } })?.message ?? '',
      /node "node-a" is virtual \(azure\)/,
    )
    assert.ok(unsupported(pod({}), { metadata: { labels: { type: 'virtual-kubelet' } } }))
    assert.ok(unsupported(pod({ nodeName: 'virtual-node-aci-linux' }), undefined))
    assert.match(
      unsupported(pod({ nodeName: 'fargate-ip-10-0-0-1' }), undefined)?.message ?? '',
      /virtual \(AWS Fargate\)/,
    )
  })
})

describe('placeNotices()', () => {
  it('says what a pod in the network of its node means', () => {
    assert.match(placeNotices(pod({ hostNetwork: true }))[0] ?? '', /what is sent to the node itself/)
    assert.deepEqual(placeNotices(pod({})), [])
  })
})

describe('sandboxed()', () => {
  const ended = new Failure('target-ended', { target: 'pod/web' })
  it('explains processes that the node does not see by the runtime class', () => {
    assert.match(
      sandboxed(pod({ runtimeClassName: 'gvisor' }), ended).message,
      /runtime class "gvisor" hides/,
    )
  })
  it('does not for runtime classes whose programs are processes of the node', () => {
    for (const runtimeClassName of ['nvidia', 'nvidia-cdi', 'crun'])
      assert.equal(sandboxed(pod({ runtimeClassName }), ended), ended)
  })
  it('leaves the failure of an ordinary pod alone', () => {
    assert.equal(sandboxed(pod({}), ended), ended)
  })
})

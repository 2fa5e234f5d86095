// Which container is meant, and which ones are sidecars.
import assert from 'node:assert/strict'
import type { V1Container, V1Pod } from '@kubernetes/client-node'
import {
  chooseContainer,
  containerNames,
  containersOf,
  declaredPorts,
  meshOf,
  sidecarOf,
} from '../../../../server/kubernetes/targets/containers.ts'

const spec = (names: string[], native: string[] = []): NonNullable<V1Pod['spec']> => ({
  containers: names.map(name => ({ name })),
  initContainers: [{ name: 'migrate' }, ...native.map(name => ({ name, restartPolicy: 'Always' }))],
})

describe('containersOf()', () => {
  it('has native sidecars last, and no init container that ends', () => {
    assert.deepEqual(
      containersOf(spec(['web'], ['istio-proxy'])).map(({ name }) => name),
      ['web', 'istio-proxy'],
    )
    assert.deepEqual(containersOf(undefined), [])
  })
})

describe('chooseContainer()', () => {
  it('takes the one that is named, a sidecar too, and none that is not there', () => {
    const pod = { spec: spec(['web', 'istio-proxy'], ['log']) }
    for (const name of ['web', 'istio-proxy', 'log'])
      assert.deepEqual(chooseContainer(pod, name), { name, how: 'named' })
    assert.equal(chooseContainer(pod, 'migrate'), undefined)
  })
  it("takes the one of kubectl's annotation, unless that names none", () => {
    const annotations = (name: string) => ({
      annotations: { 'kubectl.kubernetes.io/default-container': name },
    })
    const pod = (name: string) => ({ metadata: annotations(name), spec: spec(['web', 'admin']) })
    assert.deepEqual(chooseContainer(pod('admin'), undefined), { name: 'admin', how: 'annotated' })
    assert.deepEqual(chooseContainer(pod('gone'), undefined), { name: 'web', how: 'first' })
  })
  it('takes the first that is no sidecar, and says whether there was a choice', () => {
    const choose = (...names: string[]) => chooseContainer({ spec: spec(names) }, undefined)
    assert.deepEqual(choose('istio-proxy', 'web'), { name: 'web', how: 'only' })
    assert.deepEqual(choose('linkerd-proxy', 'web', 'admin'), { name: 'web', how: 'first' })
    assert.deepEqual(choose('istio-proxy'), { name: 'istio-proxy', how: 'only' })
    assert.equal(choose(), undefined)
  })
})

describe('sidecarOf() and meshOf()', () => {
  it('know sidecars by name, and meshes among them, native ones too', () => {
    assert.equal(sidecarOf('daprd'), 'dapr')
    assert.equal(sidecarOf('web'), undefined)
    assert.equal(meshOf(spec(['web', 'daprd'])), undefined)
    assert.equal(meshOf(spec(['web'], ['istio-proxy'])), 'istio')
    assert.equal(meshOf(spec(['linkerd-proxy', 'web'])), 'linkerd')
  })
})

describe('containerNames() and declaredPorts()', () => {
  it('put the chosen container first, and leave out ports of sidecars and those that are not TCP', () => {
    const containers: V1Container[] = [
      { name: 'istio-proxy', ports: [{ containerPort: 15090 }] },
      { name: 'web', ports: [{ containerPort: 9090 }, { containerPort: 8080, protocol: 'TCP' }] },
      { name: 'rpc', ports: [{ containerPort: 8080 }, { containerPort: 53, protocol: 'UDP' }] },
    ]
    assert.deepEqual(containerNames({ spec: { containers } }), ['web', 'istio-proxy', 'rpc'])
    assert.deepEqual(declaredPorts({ containers }), [8080, 9090])
    assert.deepEqual(containerNames({}), [])
  })
})

// The keys of "agent" in a configuration, as the pod that runs has them.
import assert from 'node:assert/strict'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import { startTarget } from '../stage/delivered-agent.ts'
import { agentObjects, attached, nothingLeft } from '../stage/found-agent.ts'
import { apply, freshNamespace, kubectl, objectOf } from '../stage/kubectl.ts'

describe("the agent's pod on a cluster", () => {
  let namespace: string
  let remove: () => Promise<void>
  let priority: string
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('agent-config'))
    priority = `standin-${namespace}`
    await apply(
      {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name: priority },
        value: 4711,
        preemptionPolicy: 'Never',
      },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'debugger', namespace } },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'kubernetes.io/dockerconfigjson',
        metadata: { name: 'registry', namespace },
        stringData: { '.dockerconfigjson': '{"auths":{}}' },
      },
    )
    await startTarget(namespace, 'shop')
  })
  after(async () => {
    await kubectl(['delete', 'priorityclass', priority, '--ignore-not-found'])
    await remove?.()
  })

  it('has all that the configuration says, and it holds', async () => {
    const config = {
      labels: { team: 'payments', 'app.kubernetes.io/managed-by': 'somebody else' },
      annotations: { 'example.com/ticket': '42' },
      node_selector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'debug', effect: 'NoSchedule' }],
      image_pull_secrets: [{ name: 'registry' }],
      resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { cpu: '500m', memory: '200Mi' } },
      priority_class: priority,
      service_account: 'debugger',
      ttl: 3,
      security_context: { readOnlyRootFilesystem: false },
    }
    const { link, end } = await attached(namespace, 'pod/shop/container/web', { config })
    const names = await agentObjects(namespace)
    const read = (kind: string) =>
      objectOf(['-n', namespace, names.find(name => name.startsWith(kind))!]) as Promise<unknown>
    const [job, pod] = [(await read('job')) as V1Job, (await read('pod')) as V1Pod]

    assert.equal((await link.ask({ ask: 'describe' })).hostname, 'shop')
    for (const { metadata } of [job, pod]) {
      assert.equal(metadata?.labels?.team, 'payments')
      assert.equal(metadata?.labels?.['app.kubernetes.io/managed-by'], 'standin', 'ours by which it is found')
      assert.equal(metadata?.annotations?.['example.com/ticket'], '42')
    }
    assert.equal(job.spec?.ttlSecondsAfterFinished, 3)
    const { spec } = pod
    assert.deepEqual(spec?.nodeSelector, config.node_selector)
    // Kubernetes adds its own two about nodes that are not ready.
    assert.deepEqual(spec?.tolerations?.slice(0, 1), config.tolerations)
    assert.ok(spec?.tolerations?.slice(1).every(({ key }) => key?.startsWith('node.kubernetes.io/')))
    assert.deepEqual(spec?.imagePullSecrets, config.image_pull_secrets)
    assert.deepEqual([spec?.priorityClassName, spec?.priority], [priority, 4711])
    assert.equal(spec?.serviceAccountName, 'debugger')
    const [container] = spec?.containers ?? []
    assert.deepEqual(container?.resources, config.resources)
    assert.equal(container?.securityContext?.readOnlyRootFilesystem, false)
    assert.deepEqual(container?.securityContext?.capabilities?.drop, ['ALL'], 'the other keys stay')

    const inside = ['-n', namespace, 'exec', pod.metadata?.name ?? '', '--', 'node', '-e', looks]
    assert.deepEqual(JSON.parse(await kubectl(inside)), { token: false, memoryBytes: 200 << 20 })
    await end()
    // Its log can be read for the time of "ttl", and then it goes by itself.
    await nothingLeft(namespace)
  })
})

/** Whether a token is mounted, and the limit of memory that the kernel keeps (cgroup v1 or v2). */
const looks = `
const { existsSync, readFileSync } = require('fs')
const limit = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'].find(existsSync)
console.log(JSON.stringify({ token: existsSync('/var/run/secrets/kubernetes.io'), memoryBytes: Number(readFileSync(limit, 'utf8')) }))`

// What the cluster's tests stand on: the list of what is left behind, users with few rights, callers that count.
import assert from 'node:assert/strict'
import { until } from './run.ts'
import { startCaller } from './stage/callers.ts'
import { apply, freshNamespace, kubectl, waitForObject } from './stage/kubectl.ts'
import { difference, objects } from './stage/objects.ts'
import { userWith } from './stage/users.ts'

describe('the stage of cluster tests', () => {
  let namespace: Awaited<ReturnType<typeof freshNamespace>>
  beforeEach(async () => {
    namespace = await freshNamespace('stage')
  })
  afterEach(async () => namespace?.remove())
  const here = (...args: string[]): Promise<string> => kubectl(['-n', namespace.name, ...args])

  it('objects() gives the same list for a namespace that nobody touched', async () => {
    const only = { namespaces: [namespace.name] }
    await waitForObject(
      'the root certificates',
      ['-n', namespace.name, 'configmap', 'kube-root-ca.crt'],
      found => found !== undefined,
    )
    const before = await objects(only)
    assert.ok(before.length >= 2, before.join('\n'))
    assert.deepEqual(await objects(only), before)
  })

  it('objects() shows what was left, taken and changed', async () => {
    const only = { namespaces: [namespace.name] }
    await here('create', 'configmap', 'taken')
    await here('create', 'configmap', 'changed')
    const before = await objects(only)
    await here('delete', 'configmap', 'taken')
    await here('label', 'configmap', 'changed', 'mark=one')
    await here('create', 'secret', 'generic', 'left')
    const { left, taken } = difference(before, await objects(only))
    const names = (lines: string[]): string[] =>
      lines.map(line => line.replace(/ \w+$/, '').replace(`${namespace.name}/`, ''))
    assert.deepEqual(names(left), ['ConfigMap changed', 'Secret left'])
    assert.deepEqual(names(taken), ['ConfigMap changed', 'ConfigMap taken'])
  })

  it('userWith() makes a user who may do what the rules say and nothing else', async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]
    const user = await userWith({ namespace: namespace.name, rules })
    try {
      assert.equal(await kubectl(['get', 'pods'], { kubeconfig: user.kubeconfig }), '')
      await assert.rejects(kubectl(['get', 'secrets'], { kubeconfig: user.kubeconfig }), error => {
        assert.match(String(error), new RegExp(`User "${user.name}" cannot list resource "secrets"`))
        return true
      })
    } finally {
      await user.remove()
    }
  })

  it('a caller counts no failure while the service answers, and counts them when its pod is gone', async () => {
    const answering = `require('node:http').createServer((q, s) => s.end('here')).listen(8080)`
    const container = {
      name: 'answer',
      image: 'localhost/node:20',
      imagePullPolicy: 'Never',
      command: ['node', '-e', answering],
    }
    const metadata = { name: 'answer', namespace: namespace.name, labels: { app: 'answer' } }
    await apply(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata,
        spec: { terminationGracePeriodSeconds: 0, containers: [container] },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { selector: { app: 'answer' }, ports: [{ port: 80, targetPort: 8080 }] },
      },
    )
    const caller = await startCaller({ namespace: namespace.name, url: 'http://answer/' })
    await until('50 requests', 20_000, async () => (await caller.report()).kept.requests > 50)
    const calm = await caller.report()
    assert.deepEqual([calm.fresh.failed, calm.kept.failed], [0, 0], JSON.stringify(calm))
    await here('delete', 'pod', 'answer', '--force', '--grace-period=0')
    await here('wait', 'pod', 'answer', '--for=delete', '--timeout=10s')
    await until('failed requests of both kinds', 20_000, async () => {
      const { fresh, kept } = await caller.report()
      return fresh.failed > 0 && kept.failed > 0
    })
    await caller.stop()
  })
})

// What a session finds in a cluster when its agent or its pod was lost: the same pod, another of the target, or nothing any more.
import assert from 'node:assert/strict'
import { Failure } from '../../../protocol/errors.ts'
import type { Found } from '../../../server/targets/found.ts'
import { until } from '../run.ts'
import { startTarget } from '../stage/delivered-agent.ts'
import { find, linkTo, nothingLeft, start, testImage } from '../stage/found-agent.ts'
import { apply, freshNamespace, kubectl, podsReady, waitForObject } from '../stage/kubectl.ts'

/** The first process of a container ignores signals that it has no handler for. */
const program = `process.on('SIGTERM', () => process.exit(1)); require('http').createServer((q, s) => s.end('x')).listen(8080)`
const pods = (app: string, more = {}) => ({
  metadata: { labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'web', image: testImage, command: ['node', '-e', program], ...more }],
  },
})

describe('a target in a cluster, found again', () => {
  let namespace: { name: string; remove(): Promise<void> }
  before(async () => {
    namespace = await freshNamespace('again')
  })
  after(() => namespace.remove())

  const made = async (kind: string, name: string, replicas: number) => {
    const spec = {
      replicas,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: pods(name),
    }
    if (kind === 'Deployment') Reflect.deleteProperty(spec, 'serviceName')
    await apply({ apiVersion: 'apps/v1', kind, metadata: { name, namespace: namespace.name }, spec })
    await podsReady(namespace.name, `app=${name}`)
  }
  const again = (found: Found) => found.again(AbortSignal.timeout(30_000))
  /** As a session does: a retryable failure is tried again. */
  const awaitAgain = (found: Found) =>
    until('the target again', 60_000, async () => {
      try {
        return await again(found)
      } catch (thrown) {
        if (thrown instanceof Failure && thrown.kind === 'pod-not-ready' && thrown.data.retryable)
          return undefined
        throw thrown
      }
    })
  const podOf = ({ where }: Found) => /^pod (\S+) /.exec(where)?.[1] ?? ''
  const hostname = async (found: Found) => {
    const agent = await start(found)
    const link = await linkTo(agent)
    const facts = await link.ask({ ask: 'describe' })
    link.link.close('the test is over')
    await agent.end()
    return facts.hostname
  }

  it('is the same pod while that runs', async () => {
    await made('Deployment', 'steady', 2)
    const found = await find(namespace.name, 'deployment/steady')
    assert.equal(found.lives, 'again')
    assert.match(found.notices[0] ?? '', /^Pod steady-\S+ of 2 is taken; the other one is not$/)
    const next = await again(found)
    assert.equal(next.where, found.where)
    assert.equal(await hostname(next), podOf(found))
  })

  it('is another pod of the deployment when the first was deleted', async () => {
    await made('Deployment', 'moving', 1)
    const found = await find(namespace.name, 'deployment/moving')
    await kubectl(['-n', namespace.name, 'delete', 'pod', podOf(found)])
    const next = await awaitAgain(found)
    assert.notEqual(podOf(next), podOf(found))
    assert.equal(await hostname(next), podOf(next))
  })

  it('is the same pod with another container when that was started again', async () => {
    await made('Deployment', 'crashing', 1)
    const found = await find(namespace.name, 'deployment/crashing')
    const pod = podOf(found)
    await kubectl(['-n', namespace.name, 'exec', pod, '--', 'node', '-e', 'process.kill(1, 15)']).catch(
      () => {},
    )
    await waitForObject(
      'the restart',
      ['-n', namespace.name, 'pod', pod],
      seen =>
        seen?.status.containerStatuses[0].restartCount === 1 &&
        seen.status.containerStatuses[0].state.running,
    )
    const next = await awaitAgain(found)
    assert.equal(next.where, found.where)
    assert.equal(await hostname(next), pod)
  })

  it('is the pod of the same name when a StatefulSet makes that again', async () => {
    await made('StatefulSet', 'stable', 1)
    const found = await find(namespace.name, 'pod/stable-0')
    await kubectl(['-n', namespace.name, 'delete', 'pod', 'stable-0'])
    const next = await awaitAgain(found)
    assert.equal(podOf(next), 'stable-0')
    assert.equal(await hostname(next), 'stable-0')
  })

  it('is nothing any more when the pod that was named is gone', async () => {
    await startTarget(namespace.name, 'single')
    const found = await find(namespace.name, 'pod/single/container/web')
    await kubectl(['-n', namespace.name, 'delete', 'pod', 'single'])
    await assert.rejects(again(found), { kind: 'target-gone' })
  })

  it('is nothing any more when the deployment is gone', async () => {
    await made('Deployment', 'gone', 1)
    const found = await find(namespace.name, 'deployment/gone')
    await kubectl(['-n', namespace.name, 'delete', 'deployment', 'gone', '--cascade=foreground'])
    await assert.rejects(again(found), { kind: 'target-gone' })
  })

  it('leaves nothing of its agents', () => nothingLeft(namespace.name))
})

// An agent that is delivered into a real cluster: to a Job on the target's node, and to an ephemeral container in its pod.
import assert from 'node:assert/strict'
import type { V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { type DeliveredAgent, linkDelivered } from '../../stage/bootstrap.ts'
import { openTestApi } from '../stage/channel-pod.ts'
import {
  containerId,
  type PodAgent,
  startEphemeralAgent,
  startJobAgent,
  startTarget,
  type Target,
} from '../stage/delivered-agent.ts'
import { freshNamespace, kubectl, objectOf, waitForObject } from '../stage/kubectl.ts'

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const thrown = await work.then(
    () => assert.fail('it was delivered'),
    (error: unknown) => error,
  )
  assert.ok(thrown instanceof Failure, String(thrown))
  return thrown
}

describe('an agent delivered into a cluster', () => {
  let api: Api
  let namespace: { name: string; remove(): Promise<void> }
  let shop: Target
  before(async () => {
    api = await openTestApi()
    namespace = await freshNamespace('delivery')
    shop = await startTarget(namespace.name, 'shop')
    await startTarget(namespace.name, 'caller')
  })
  after(async () => {
    api.close()
    await namespace.remove()
  })

  const nodeOf = (target: Target) => target.pod.spec?.nodeName ?? ''
  const inPod = (pod: string, container: string, ...command: string[]) =>
    kubectl(['-n', namespace.name, 'exec', pod, '-c', container, '--', ...command])
  /** What a request to this address gives inside a container. */
  const asked = (pod: string, container: string, address: string) =>
    inPod(
      pod,
      container,
      'node',
      '-e',
      `require('net').connect({ host: '${address.split(':')[0]}', port: ${address.split(':')[1]}, timeout: 3000 })
        .on('connect', () => console.log('open')).on('error', e => console.log(e.code)).on('timeout', () => console.log('silent')).unref()`,
    )

  async function assertStandsIn(agent: DeliveredAgent, target: Target): Promise<void> {
    const facts = await agent.ask({ ask: 'describe' })
    const { status, metadata } = target.pod
    const environment = facts.environment as Record<string, string>
    assert.equal(environment.GREETING, 'hello from the pod')
    assert.equal(environment.POD_NAME, metadata?.name)
    assert.equal(facts.hostname, metadata?.name)
    assert.deepEqual(facts.addresses, [status?.podIP])
    assert.deepEqual(facts.ports, [8080])
    assert.equal(facts.ownNetwork, true)
    await agent.ask({ ask: 'subscribe', ports: [8080], answers: 'none' })
    const answer = await fetchFrom(target)
    assert.equal(answer, 'hello from the pod')
    const { opened } = await agent.streams.take('the mirrored connection', () => true)
    assert.deepEqual(opened.pod, { address: status?.podIP, port: 8080 })
  }

  /** A request of another pod, so that it crosses the pod's interface. */
  async function fetchFrom(target: Target): Promise<string> {
    const url = `http://${target.pod.status?.podIP}:8080/`
    return inPod(
      'caller',
      'web',
      'node',
      '-e',
      `fetch('${url}').then(r => r.text()).then(t => console.log(t))`,
    )
  }
  describe('as a Job', () => {
    let job: PodAgent
    let agent: DeliveredAgent
    before(async () => {
      job = await startJobAgent(api, namespace.name, nodeOf(shop))
      await job.deliver(shop)
      agent = await linkDelivered(job)
    })
    after(() => agent?.link.close('the test is over'))

    it('knows the container, and mirrors what reaches its pod', () => assertStandsIn(agent, shop))

    it("listens on loopback of its own pod alone: neither the target's containers nor other pods reach it", async () => {
      const own = (await objectOf(['-n', namespace.name, 'pod', job.pod])) as V1Pod
      assert.equal(await asked('shop', 'web', `127.0.0.1:${job.port}`), 'ECONNREFUSED')
      assert.equal(await asked('shop', 'neighbour', `127.0.0.1:${job.port}`), 'ECONNREFUSED')
      assert.equal(await asked('shop', 'web', `${own.status?.podIP}:${job.port}`), 'ECONNREFUSED')
      assert.equal(await asked('shop', 'web', `${shop.pod.status?.podIP}:${job.port}`), 'ECONNREFUSED')
    })

    it('leaves no file in its container', async () => {
      assert.equal(await inPod(job.pod, job.name, 'ls', '-A', '/tmp'), '')
    })

    it('says few lines, and no secret', async () => {
      const lines = (await job.log()).split('\n')
      assert.deepEqual(lines, [
        `serves pod shop: pid ${/pid (\d+)/.exec(lines[0] ?? '')?.[1]} of container ${shop.container.slice(0, 12)}`,
      ])
    })

    it('ends its pod at once when the server asks for it', async () => {
      agent.link.endpoint.control({ id: 99, ask: 'end' })
      await waitForObject('the end of the agent', ['-n', namespace.name, 'pod', job.pod], (found?: V1Pod) => {
        const phase = found?.status?.phase
        return found === undefined || phase === 'Succeeded'
      })
    })
  })

  it("enters a container that runs as another user, with a root that can't be written", async () => {
    const securityContext = { runAsUser: 65_534, readOnlyRootFilesystem: true }
    const strict = await startTarget(namespace.name, 'strict', { web: { securityContext } })
    const job = await startJobAgent(api, namespace.name, nodeOf(strict))
    await job.deliver(strict)
    const agent = await linkDelivered(job)
    await assertStandsIn(agent, strict)
    agent.link.endpoint.control({ id: 99, ask: 'end' })
    agent.link.close('the test is over')
  })

  it('says that it is on another node than the pod', async () => {
    const nodes = (await kubectl(['get', 'nodes', '-o', 'name']))
      .split('\n')
      .map(name => name.replace('node/', ''))
    const other = nodes.find(name => name !== nodeOf(shop))
    assert.ok(other, 'this test needs a second node')
    const job = await startJobAgent(api, namespace.name, other)
    const failure = await failureOf(job.deliver(shop))
    assert.equal(
      failure.message,
      'Cannot start agent: it runs on another node than pod "shop", for no process of that is here',
    )
  })

  it('says that the container has ended', async () => {
    const job = await startJobAgent(api, namespace.name, nodeOf(shop))
    const failure = await failureOf(job.deliver({ ...shop, container: 'a'.repeat(64) }))
    assert.equal(failure.kind, 'target-ended')
  })

  it('says which capability it lacks', async () => {
    const security_context = { capabilities: { drop: ['ALL'], add: ['SYS_PTRACE', 'NET_RAW'] } }
    const job = await startJobAgent(api, namespace.name, nodeOf(shop), { security_context })
    const failure = await failureOf(job.deliver(shop))
    assert.equal(failure.kind, 'agent-denied')
    assert.match(
      failure.message,
      /enter the network namespace of pid \d+, for its container lacks CAP_SYS_ADMIN$/,
    )
  })

  describe('as an ephemeral container', () => {
    const startIn = async (target: Target, port: number) => {
      const container = await startEphemeralAgent(api, target, port)
      await container.deliver(target, '--ephemeral')
      return { container, agent: await linkDelivered(container) }
    }

    it('knows the container that it is a sibling of, mirrors, and ends when it is asked to', async () => {
      const { container, agent } = await startIn(shop, 21_001)
      await assertStandsIn(agent, shop)
      agent.link.endpoint.control({ id: 99, ask: 'end' })
      const ended = await waitForObject('its end', ['-n', namespace.name, 'pod', 'shop'], (found?: V1Pod) => {
        const status = found?.status?.ephemeralContainerStatuses?.find(each => each.name === container.name)
        return status?.state?.terminated?.exitCode === 0
      })
      assert.notEqual(containerId(ended, container.name), '')
      agent.link.close('the test is over')
    })

    it('finds its container in a pod whose containers share their processes', async () => {
      const shared = await startTarget(namespace.name, 'shared', { shareProcessNamespace: true })
      const { agent } = await startIn(shared, 21_002)
      await assertStandsIn(agent, shared)
      agent.link.close('the test is over')
    })

    it('enters a container that runs as another user', async () => {
      const securityContext = { runAsUser: 65_534, readOnlyRootFilesystem: true }
      const strict = await startTarget(namespace.name, 'nobody', { web: { securityContext } })
      const { agent } = await startIn(strict, 21_003)
      await assertStandsIn(agent, strict)
      agent.link.close('the test is over')
    })
  })
})

// An agent as an ephemeral container of the target's own pod, as a session starts and ends it.
import assert from 'node:assert/strict'
import type { V1Pod } from '@kubernetes/client-node'
import { startTarget } from '../stage/delivered-agent.ts'
import { agentObjects, attached, find, start } from '../stage/found-agent.ts'
import { freshNamespace, kubectl, objectOf, waitForObject } from '../stage/kubectl.ts'

describe('an agent as an ephemeral container', () => {
  let namespace: { name: string; remove(): Promise<void> }
  before(async () => {
    namespace = await freshNamespace('ephemeral')
    await startTarget(namespace.name, 'shop')
  })
  after(() => namespace.remove())
  const config = { ephemeral: true }
  const path = 'pod/shop/container/web'
  const podOf = (name = 'shop'): Promise<V1Pod> => objectOf(['-n', namespace.name, 'pod', name])

  it('stands in for the container, makes no Job, ends when it is asked to, and leaves only its finished entry', async () => {
    const { agent, link, end } = await attached(namespace.name, path, { config })
    assert.equal(agent.mustBeAsked, true)
    const facts = await link.ask({ ask: 'describe' })
    assert.equal(facts.hostname, 'shop')
    assert.ok((facts.ports as number[]).includes(8080))
    assert.deepEqual(await agentObjects(namespace.name), [])
    const { spec } = await podOf()
    const own = spec?.ephemeralContainers?.[0]
    assert.equal(own?.targetContainerName, 'web')
    assert.deepEqual(own?.securityContext?.capabilities, {
      drop: ['ALL'],
      add: ['SYS_PTRACE', 'NET_ADMIN', 'NET_RAW'],
    })
    assert.equal(own?.securityContext?.privileged, false)
    assert.notEqual(spec?.hostPID, true)
    await end()
    assert.match(await agent.gone, /^it ended with exit code 0$/)
    const { status } = await podOf()
    assert.equal(status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode, 0)
    assert.equal(
      status?.containerStatuses?.every(({ restartCount }) => restartCount === 0),
      true,
    )
  })

  it('says that its image cannot be had', async () => {
    const never = { ephemeral: true, image: 'localhost/none:1', image_pull_policy: 'Never' } as const
    const found = await find(namespace.name, path, { config: never })
    const entriesBefore = (await podOf()).spec?.ephemeralContainers?.length ?? 0
    const told: string[] = []
    // Said before the pod was changed, since the entry of a container that never ran stays too.
    const tell = (_: string, text: string) => told.push(text)
    await assert.rejects(start(found, { tell }), {
      kind: 'agent-image-failed',
      message: /the node does not have it, and agent\.image_pull_policy is "Never"$/,
    })
    assert.equal((await podOf()).spec?.ephemeralContainers?.length, entriesBefore + 1)
    assert.match(told[0] ?? '', /ephemeral container of pod shop: .*keeps its finished entry in the pod/)
  })

  it('is refused where PodSecurity forbids capabilities, with the choice that would pass', async () => {
    const strict = await freshNamespace('ephemeral-baseline', {
      'pod-security.kubernetes.io/enforce': 'baseline',
    })
    try {
      await startTarget(strict.name, 'shop')
      const found = await find(strict.name, path, { config })
      await assert.rejects(
        start(found),
        (thrown: { kind: string; message: string; data: { fix: string } }) => {
          assert.equal(thrown.kind, 'agent-refused')
          assert.match(thrown.message, /violates PodSecurity "baseline:latest": .*SYS_PTRACE/)
          assert.match(thrown.data.fix, /^Unset agent\.ephemeral, and set agent\.namespace/)
          return true
        },
      )
    } finally {
      await strict.remove()
    }
  })

  it('ends with its pod', async () => {
    await startTarget(namespace.name, 'doomed')
    const { agent, link } = await attached(namespace.name, 'pod/doomed/container/web', { config })
    const gone = waitForObject(
      'the end of the pod',
      ['-n', namespace.name, 'pod', 'doomed'],
      pod => pod === undefined,
    )
    await kubectl(['-n', namespace.name, 'delete', 'pod', 'doomed', '--wait=false'])
    assert.match(await agent.gone, /it ended with|its pod was deleted/)
    await gone
    link.link.close('the test is over')
    await agent.end()
  })
})

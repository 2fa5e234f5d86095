// An agent as a Job on a real cluster: what runs there, who can talk to it, and that nothing stays, however it ends.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import { connectLink } from '../../../server/link/connect.ts'
import type { Agent } from '../../../server/targets/found.ts'
import type { DeliveredAgent } from '../../stage/bootstrap.ts'
import { startTarget, type Target } from '../stage/delivered-agent.ts'
import {
  agentObjects,
  attached,
  find,
  type Keys,
  linkTo,
  nothingLeft,
  type Steps,
  sessionId,
  start,
} from '../stage/found-agent.ts'
import { freshNamespace, kubectl, objectOf } from '../stage/kubectl.ts'
import { difference, objects } from '../stage/objects.ts'

const agentSelector = 'app.kubernetes.io/name=standin-agent'

describe('an agent as a Job', () => {
  let namespace: { name: string; remove(): Promise<void> }
  let shop: Target
  before(async () => {
    namespace = await freshNamespace('agent')
    shop = await startTarget(namespace.name, 'shop')
  })
  after(() => namespace.remove())

  const listOf = async (...which: string[]) => (await objectOf(['-n', namespace.name, ...which]))?.items ?? []

  describe('that was started', () => {
    let before_: string[]
    let agent: Agent & { keys: Keys }
    let link: DeliveredAgent
    let pod: V1Pod
    let job: V1Job
    const steps: Steps = []
    before(async () => {
      before_ = await objects({ namespaces: [namespace.name] })
      const found = await find(namespace.name, 'pod/shop/container/web')
      agent = await start(found, { steps })
      link = await linkTo(agent)
      ;[pod] = await listOf('pods', '-l', agentSelector)
      ;[job] = await listOf('jobs', '-l', agentSelector)
    })
    after(async () => {
      link?.link.close('the test is over')
      await agent?.end()
    })

    it('has told each step by its name', () => {
      const names = [...new Set(steps.map(({ step }) => step))]
      assert.deepEqual(
        names.filter(name => name !== 'schedule' && name !== 'pull'),
        ['job', 'start', 'deliver'],
        JSON.stringify(steps),
      )
    })

    it('stands in for the container that was named', async () => {
      const facts = await link.ask({ ask: 'describe' })
      assert.equal(facts.hostname, 'shop')
      assert.deepEqual(facts.addresses, [shop.pod.status?.podIP])
      assert.deepEqual(facts.ports, [8080])
    })

    it("runs on the target's node, with exactly the capabilities that it needs", async () => {
      const [container, ...others] = pod.spec?.containers ?? []
      assert.deepEqual(others, [])
      assert.equal(pod.spec?.nodeName, shop.pod.spec?.nodeName)
      assert.equal(pod.spec?.hostPID, true)
      assert.ok(!pod.spec?.hostNetwork && !pod.spec?.hostIPC)
      const context = container?.securityContext
      assert.equal(context?.privileged, false)
      assert.equal(context?.allowPrivilegeEscalation, false)
      assert.deepEqual(context?.capabilities, {
        drop: ['ALL'],
        add: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN', 'NET_RAW', 'BPF'],
      })
      const status = await kubectl([
        ...['-n', namespace.name, 'exec', pod.metadata?.name ?? '', '--'],
        ...['grep', '-E', '^(CapEff|CapBnd|NoNewPrivs|Seccomp):', '/proc/self/status'],
      ])
      // Bits 12, 13, 19, 21 and 39: NET_ADMIN, NET_RAW, SYS_PTRACE, SYS_ADMIN, BPF.
      assert.equal(
        status.replace(/\t/g, ' '),
        'CapEff: 0000008000283000\nCapBnd: 0000008000283000\nNoNewPrivs: 1\nSeccomp: 2',
      )
    })

    it('has no token, no volume of the node, and nothing of a Secret or ConfigMap', async () => {
      assert.equal(pod.spec?.automountServiceAccountToken, false)
      assert.deepEqual(
        pod.spec?.volumes?.map(({ name: _, ...source }) => Object.keys(source)),
        [['emptyDir']],
      )
      const [container] = pod.spec?.containers ?? []
      assert.deepEqual(
        container?.volumeMounts?.map(({ mountPath }) => mountPath),
        ['/tmp'],
      )
      assert.equal(container?.env ?? container?.envFrom, undefined)
    })

    it('is the only thing that was made: one Job and its pod', async () => {
      const { left, taken } = difference(before_, await objects({ namespaces: [namespace.name] }))
      assert.deepEqual(taken, [])
      const kinds = left.map(line => line.split(' ')[0])
      // The metrics API is not installed in the test cluster; where it is, it computes an entry for each pod.
      assert.deepEqual(kinds.filter(kind => kind !== 'PodMetrics').sort(), ['Job', 'Pod'])
    })

    it('says nothing to the cluster that lets anyone in', () => {
      const readable = JSON.stringify([pod, job])
      const { privateKey, publicKey } = agent.keys
      assert.ok(readable.includes(publicKey.export({ type: 'spki', format: 'der' }).toString('base64')))
      const secret = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32)
      for (const encoding of ['base64', 'hex', 'base64url'] as const)
        assert.ok(!readable.includes(secret.toString(encoding)), `the private key is there as ${encoding}`)
    })

    it('is marked so that no mesh adds a sidecar, and so that it is found', () => {
      const { labels = {}, annotations = {} } = pod.metadata ?? {}
      assert.equal(labels['sidecar.istio.io/inject'], 'false')
      assert.equal(annotations['linkerd.io/inject'], 'disabled')
      assert.equal(labels['app.kubernetes.io/managed-by'], 'standin')
      assert.equal(job.spec?.ttlSecondsAfterFinished, 0)
      assert.equal(job.spec?.backoffLimit, 0)
    })

    it('gives nothing to another user who may forward ports and read everything, but has another key', async () => {
      const { privateKey } = generateKeyPairSync('ed25519')
      const stranger = connectLink({
        dial: signal => agent.dial(signal),
        session: sessionId,
        privateKey,
        graceMs: 3_000,
        onControl: () => assert.fail('a stranger was told something'),
        onOpen: () => assert.fail('a stranger got a stream'),
        onState: () => {},
      })
      await assert.rejects(stranger.ready, { kind: 'link-refused' })
      stranger.close('the test is over')
      assert.equal((await link.ask({ ask: 'describe' })).hostname, 'shop')
    })

    it('leaves the objects of the namespace as they were when it ends', async () => {
      link.link.close('the session is over')
      await agent.end()
      assert.deepEqual(await listOf('jobs', '-l', agentSelector), [])
      await nothingLeft(namespace.name)
      assert.deepEqual(difference(before_, await objects({ namespaces: [namespace.name] })), {
        left: [],
        taken: [],
      })
    })

    it('can be ended twice', async () => {
      await agent.end()
    })
  })

  it('tells that it is gone when it is killed, and its Job vanishes by itself', async () => {
    const { agent, link } = await attached(namespace.name, 'pod/shop/container/web')
    const [pod] = await listOf('pods', '-l', agentSelector)
    const kill =
      "process.kill(Number(require('fs').readdirSync('/proc').filter(p => /^\\d+$/.test(p)).find(p => { try { return require('fs').readFileSync('/proc/' + p + '/environ', 'utf8').includes('HOSTNAME=' + process.env.HOSTNAME) && p !== String(process.pid) } catch {} })), 'SIGKILL')"
    await kubectl(['-n', namespace.name, 'exec', pod.metadata.name, '--', 'node', '-e', kill])
    assert.match(await agent.gone, /signal 9|its pod/)
    link.link.close('the test is over')
    await nothingLeft(namespace.name)
    await agent.end()
  })

  it('tells that it is gone when somebody deletes its Job', async () => {
    const { agent, link } = await attached(namespace.name, 'pod/shop/container/web')
    await kubectl(['-n', namespace.name, 'delete', 'job', '-l', agentSelector, '--wait=false'])
    assert.equal(await agent.gone, 'its pod was deleted')
    link.link.close('the test is over')
    await agent.end()
    await nothingLeft(namespace.name)
  })

  it('never deletes a Job that took the name of its own', async () => {
    const { agent, link } = await attached(namespace.name, 'pod/shop/container/web')
    const [job] = await listOf('jobs', '-l', agentSelector)
    const { name } = job.metadata
    await kubectl(['-n', namespace.name, 'delete', 'job', name])
    const other = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: namespace.name } }
    const template = {
      spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'localhost/pause:3.10' }] },
    }
    await kubectl(['create', '-f', '-'], {
      input: JSON.stringify({ ...other, spec: { suspend: true, template } }),
    })
    link.link.close('the test is over')
    await agent.end()
    assert.ok(await objectOf(['-n', namespace.name, 'job', name]), "another's Job was deleted")
    await kubectl(['-n', namespace.name, 'delete', 'job', name])
    await nothingLeft(namespace.name)
  })

  describe('that is cancelled', () => {
    for (const afterMs of [0, 3, 20, 60, 150, 400, 900, 1_500])
      it(`leaves nothing when that is ${afterMs} ms after it began`, async () => {
        const cancelling = new AbortController()
        const reason = new Error('the user changed their mind')
        const found = await find(namespace.name, 'pod/shop/container/web', { signal: cancelling.signal })
        setTimeout(() => cancelling.abort(reason), afterMs)
        const outcome = await start(found, { signal: cancelling.signal }).catch((thrown: unknown) => thrown)
        // It may have been quicker than that.
        if (outcome !== reason) await (outcome as Agent).end()
        await nothingLeft(namespace.name)
      })
  })

  describe('whose target goes away while it starts', () => {
    it('fails with what became of the pod, and leaves nothing', async () => {
      const doomed = await startTarget(namespace.name, 'doomed')
      const found = await find(namespace.name, 'pod/doomed/container/web', {
        config: { resources: { requests: { cpu: '1000' } } },
      })
      const starting = start(found, {
        onStep: step => {
          if (step === 'schedule')
            void kubectl(['-n', namespace.name, 'delete', 'pod', 'doomed', '--wait=false']).catch(() => {})
        },
      })
      await assert.rejects(starting, {
        kind: 'pod-ended',
        message: 'Cannot attach to pod "doomed": it was deleted meanwhile',
      })
      assert.ok(doomed)
      await nothingLeft(namespace.name)
    })
    it('fails when its Job is deleted under it', async () => {
      const found = await find(namespace.name, 'pod/shop/container/web', {
        config: { resources: { requests: { cpu: '1000' } } },
      })
      const starting = start(found, {
        onStep: step => {
          if (step === 'schedule')
            void kubectl(['-n', namespace.name, 'delete', 'job', '-l', agentSelector, '--wait=false']).catch(
              () => {},
            )
        },
      })
      await assert.rejects(starting, { kind: 'agent-removed' })
      await nothingLeft(namespace.name)
    })
  })

  it('stands beside others on one pod, and each ends alone', async () => {
    const first = await attached(namespace.name, 'pod/shop/container/web')
    const second = await attached(namespace.name, 'pod/shop/container/web')
    assert.equal((await agentObjects(namespace.name)).filter(name => name.startsWith('job')).length, 2)
    await first.end()
    assert.equal((await second.link.ask({ ask: 'describe' })).hostname, 'shop')
    await second.end()
    await nothingLeft(namespace.name)
  })

  it('lives in another namespace when it is told to', async () => {
    const tools = await freshNamespace('agent-tools')
    try {
      const config = { namespace: tools.name }
      const { link, end } = await attached(namespace.name, 'pod/shop/container/web', { config })
      assert.equal((await agentObjects(tools.name)).filter(name => name.startsWith('job')).length, 1)
      assert.deepEqual(await agentObjects(namespace.name), [])
      assert.equal((await link.ask({ ask: 'describe' })).hostname, 'shop')
      await end()
      await nothingLeft(tools.name)
    } finally {
      await tools.remove()
    }
  })
})

// Why an agent does not start on a real cluster: each refusal and each reason to wait, caused on purpose, and its own sentence for it.
import assert from 'node:assert/strict'
import type { AgentConfig } from '../../../protocol/config.ts'
import { Failure } from '../../../protocol/errors.ts'
import { startTarget, type Target } from '../stage/delivered-agent.ts'
import { find, nothingLeft, type Steps, start } from '../stage/found-agent.ts'
import { apply, freshNamespace, kubectl } from '../stage/kubectl.ts'
import { registryImages, startRegistry } from '../stage/registry.ts'
import { type Rule, userWith } from '../stage/users.ts'
import { startWebhook } from '../stage/webhook.ts'

type Refused = { kind: string; message: string; fix: string; steps: Steps; tookMs: number }
const path = 'pod/shop/container/web'

/** What starting ends with; nothing of it is left. */
async function refused(
  namespace: string,
  config: AgentConfig,
  options: { kubeconfig?: string; onceRefused?(): Promise<void> } = {},
): Promise<Refused> {
  const beganMs = performance.now()
  const steps: Steps = []
  const found = await find(namespace, path, { config, ...options })
  const thrown = await start(found, { steps, ...options }).then(
    () => assert.fail('the agent was started'),
    (failure: unknown) => failure,
  )
  assert.ok(thrown instanceof Failure, String(thrown))
  const tookMs = performance.now() - beganMs
  await options.onceRefused?.()
  await nothingLeft(config.namespace ?? namespace)
  const { kind, message, data } = thrown
  return { kind, message, fix: data.fix, steps, tookMs }
}

describe('an agent that cannot start', () => {
  let namespace: { name: string; remove(): Promise<void> }
  let shop: Target
  before(async () => {
    namespace = await freshNamespace('refusals')
    shop = await startTarget(namespace.name, 'shop')
  })
  after(() => namespace.remove())

  const inShop = (config: AgentConfig, options = {}) => refused(namespace.name, config, options)

  describe('because of its image', () => {
    let registry: { stop(): Promise<void> }
    before(async () => {
      registry = await startRegistry(namespace.name, shop.pod.spec?.nodeName ?? '')
    })
    after(() => registry.stop())

    it('says at once that there is none of that name', async () => {
      const { kind, message } = await inShop({ image: registryImages.absent })
      assert.equal(kind, 'agent-image-failed')
      assert.equal(
        message,
        `Cannot pull image "${registryImages.absent}" of the agent: ${registryImages.absent}: not found`,
      )
    })
    it('says at once that a login is needed', async () => {
      const { kind, message, fix } = await inShop({ image: registryImages.private })
      assert.equal(kind, 'agent-image-failed')
      assert.match(message, /401 Unauthorized$/)
      assert.match(fix, /agent\.image_pull_secrets/)
    })
    it('says at once that the node lacks it and may not pull', async () => {
      const { message } = await inShop({ image: 'localhost/none:1', image_pull_policy: 'Never' })
      assert.match(message, /the node does not have it, and agent\.image_pull_policy is "Never"$/)
    })
    it('says at once that it is no name', async () => {
      assert.match((await inShop({ image: '::bad' })).message, /that is no name of an image$/)
    })
    it('says that it has no Node.js', async () => {
      const { kind, message, fix } = await inShop({ image: 'localhost/pause:3.10' })
      assert.equal(kind, 'agent-crashed')
      assert.match(message, /exec: "node": executable file not found in \$PATH$/)
      assert.match(fix, /agent\.image has Node\.js 20 or newer/)
    })
    it('tells that it is pulled and for how long, and in the end what it waited for', async () => {
      const { kind, message, steps } = await inShop(
        { image: registryImages.slow, startup_timeout: 5 },
        // The node keeps the deleted pod as long as its runtime pulls, and other pulls of the image wait for that one.
        { onceRefused: () => registry.stop() },
      )
      const told = steps.filter(({ step }) => step === 'pull').map(({ message }) => message)
      assert.deepEqual(told.slice(0, 2), [
        `pulling image "${registryImages.slow}"`,
        `pulling image "${registryImages.slow}", 3 s`,
      ])
      assert.equal(kind, 'agent-slow')
      assert.equal(message, `Cannot start agent within 5 s: pulling image "${registryImages.slow}"`)
    })
  })

  describe('because of its place', () => {
    it('tells that the node has not enough CPU while it waits, and at the end', async () => {
      const { kind, message, steps, fix } = await inShop({
        resources: { requests: { cpu: '1000' } },
        startup_timeout: 4,
      })
      const node = shop.pod.spec?.nodeName
      assert.ok(steps.some(step => step.message === `node "${node}": not enough cpu (Insufficient cpu)`))
      assert.equal(kind, 'agent-not-scheduled')
      assert.equal(message, `Cannot start agent on node "${node}": not enough cpu (Insufficient cpu)`)
      assert.match(fix, /agent\.resources\.requests/)
    })
    it('says at once that agent.node_selector does not fit the node', async () => {
      const { kind, fix, tookMs } = await inShop({ node_selector: { disk: 'none' } })
      assert.equal(kind, 'agent-not-scheduled')
      assert.equal(fix, 'Take agent.node_selector away')
      assert.ok(tookMs < 30_000)
    })
  })

  describe('because its namespace forbids it', () => {
    for (const level of ['baseline', 'restricted'])
      it(`carries what PodSecurity "${level}" refuses, and the choice that passes`, async () => {
        const strict = await freshNamespace(`refusals-${level}`, {
          'pod-security.kubernetes.io/enforce': level,
        })
        const tools = await freshNamespace('refusals-tools', {
          'pod-security.kubernetes.io/enforce': 'privileged',
        })
        try {
          const { kind, message, fix } = await inShop({ namespace: strict.name })
          assert.equal(kind, 'agent-refused')
          assert.match(message, new RegExp(`violates PodSecurity "${level}:latest": .*hostPID=true`))
          assert.match(fix, /^Set agent\.namespace to a namespace that allows it/)
          const found = await find(namespace.name, path, { config: { namespace: tools.name } })
          await (await start(found)).end()
        } finally {
          await Promise.all([strict.remove(), tools.remove()])
        }
      })
    it('waits for quota, says so, and starts when there is some', async () => {
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'small', namespace: namespace.name },
      }
      const steps: Steps = []
      await apply({ ...quota, spec: { hard: { pods: '1' } } })
      try {
        const found = await find(namespace.name, path)
        let freed: Promise<unknown> | undefined
        const agent = await start(found, {
          steps,
          onStep: (_, message) => {
            if (message.includes('exceeded quota'))
              freed ??= apply({ ...quota, spec: { hard: { pods: '9' } } })
          },
        })
        await freed
        await agent.end()
        assert.ok(
          steps.some(({ message }) =>
            /its pod is refused: exceeded quota: small, requested: pods=1/.test(message),
          ),
        )
      } finally {
        await kubectl(['-n', namespace.name, 'delete', 'resourcequota', 'small'])
      }
      await nothingLeft(namespace.name)
    })
    it('names the limits of the namespace, a missing service account, a missing priority class, an unknown key', async () => {
      const least = { limits: [{ type: 'Container', min: { cpu: '100m' } }] }
      const limits = {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'least', namespace: namespace.name },
      }
      await apply({ ...limits, spec: least })
      const small = await inShop({})
      await kubectl(['-n', namespace.name, 'delete', 'limitrange', 'least'])
      assert.match(small.message, /minimum cpu usage per Container is 100m, but request is 10m$/)
      assert.match(small.fix, /^Set agent\.resources/)
      assert.match(
        (await inShop({ service_account: 'nobody' })).message,
        /serviceaccount "nobody" not found$/,
      )
      assert.match((await inShop({ priority_class: 'nobody' })).fix, /^Set agent\.priority_class/)
      assert.match(
        (await inShop({ security_context: { zork: 1 } })).message,
        /unknown field ".*securityContext\.zork"$/,
      )
      assert.match(
        (await inShop({ security_context: { runAsNonRoot: true } })).message,
        /breaks non-root policy$/,
      )
    })
    it('says that there is no such namespace', async () => {
      const found = await find(namespace.name, path, { config: { namespace: 'refusals-nowhere' } })
      await assert.rejects(start(found), { kind: 'namespace-not-found' })
    })
  })

  describe('because an admission webhook says no', () => {
    for (const resource of ['jobs', 'pods'] as const)
      it(`carries its words when it refuses ${resource}, and the choice that passes`, async () => {
        const webhook = await startWebhook(namespace.name, resource, 'hostPID is not for everybody')
        try {
          const { kind, message, fix } = await inShop({})
          assert.equal(kind, 'agent-refused')
          assert.equal(
            message,
            `Cannot create agent in namespace "${namespace.name}": admission webhook "${webhook.name}" denied the request: hostPID is not for everybody`,
          )
          assert.equal(fix, 'Set agent.ephemeral to true, which needs no hostPID')
        } finally {
          await webhook.remove()
          await kubectl(['-n', namespace.name, 'delete', 'pod/policy', 'service/policy'])
        }
      })
  })

  describe('because of a permission', () => {
    const rule = (apiGroup: string, resource: string, ...verbs: string[]): Rule => ({
      apiGroups: [apiGroup],
      resources: [resource],
      verbs,
    })
    /** What a session on a pod needs, one verb and resource a row. */
    const needed: [string, string, string][] = [
      ...['create', 'patch', 'delete'].map((verb): [string, string, string] => ['batch', 'jobs', verb]),
      ...['get', 'list', 'watch'].map((verb): [string, string, string] => ['', 'pods', verb]),
      ...['list', 'watch'].map((verb): [string, string, string] => ['', 'events', verb]),
      ...['get', 'create'].map((verb): [string, string, string] => ['', 'pods/portforward', verb]),
    ]
    const rules = needed.map(([group, resource, verb]) => rule(group, resource, verb))

    it('starts with exactly the permissions that are needed', async () => {
      const user = await userWith({ namespace: namespace.name, rules })
      try {
        const found = await find(namespace.name, path, { kubeconfig: user.kubeconfig })
        await (await start(found)).end()
        await nothingLeft(namespace.name)
      } finally {
        await user.remove()
      }
    })

    for (const [index, [group, resource, verb]] of needed.entries())
      it(`names "${verb}" on "${resource}" when it is missing, and has made nothing`, async () => {
        const user = await userWith({
          namespace: namespace.name,
          rules: rules.filter((_, each) => each !== index),
        })
        try {
          const name = group === '' ? resource : `${resource}.${group}`
          const failure = await find(namespace.name, path, { kubeconfig: user.kubeconfig })
            .then(found => start(found))
            .then(
              () => assert.fail('it started'),
              (thrown: Failure) => thrown,
            )
          assert.equal(failure.kind, 'cluster-forbidden')
          assert.equal(
            failure.message,
            `Cannot ${verb} ${name} in namespace "${namespace.name}": 403, the permission is missing`,
          )
          await nothingLeft(namespace.name)
        } finally {
          await user.remove()
        }
      })
  })
})

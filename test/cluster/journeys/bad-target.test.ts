// What a user of a cluster names wrong, or cannot be stood in for: one sentence with its fix, exit code 125, and nothing made.
import assert from 'node:assert/strict'
import type { Target } from '../../../protocol/rpc/targets.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { published } from '../../stage/published.ts'
import { startRawServer } from '../../stage/raw-server.ts'
import { until } from '../run.ts'
import { makeBrokenTargets, makeStrangePod } from '../stage/broken-targets.ts'
import { agentObjects } from '../stage/found-agent.ts'
import { freshNamespace } from '../stage/kubectl.ts'
import { difference, objects } from '../stage/objects.ts'
import { assertRefusal, type Expected, type Refusal, refusalOf } from '../stage/refused.ts'
import { clusterEnvironment, configIn, StandinRuns } from '../stage/session-run.ts'

describe('a target that is wrong', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let namespace: string
  let remove: () => Promise<void>
  let before_: string[]
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('bad-target'))
    await makeBrokenTargets(namespace)
    before_ = await objects({ namespaces: [namespace] })
  })
  after(async () => {
    try {
      const changed = difference(before_, await objects({ namespaces: [namespace] }))
      assert.deepEqual(changed, { left: [], taken: [] })
    } finally {
      await remove?.()
    }
  })
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    assert.deepEqual(await agentObjects(namespace), [], 'nothing was made')
  })

  const refused = (target: string, inNamespace = namespace): Promise<Refusal> => {
    const args = ['--output', 'json']
    return refusalOf(runs.exec({ namespace: inNamespace, target }, ['echo', 'ran'], { args }))
  }
  const assertSays = (said: Refusal, expected: Expected) => assertRefusal(said, expected, namespace)

  const listed = 'Pick one that "standin ls" lists'
  const written =
    'Write it as "standin ls" does, as in "deployment/NAME", "pod/NAME/container/NAME" or "process/PID"'

  describe('in the state of the target, whose own reason is told:', () => {
    const look = (object: string) =>
      `Look at "kubectl describe ${object} -n NAMESPACE", and try again when a pod runs`
    const notReady = (object: string, reason: RegExp): Expected => ({
      kind: 'pod-not-ready',
      message: new RegExp(`^Cannot attach to target "${object}": ${reason.source}`),
      fix: look(object.replace('/', ' ')),
    })
    // Between its waits it runs for a moment, and has ended for another.
    it('a crash loop', async () => {
      const target = 'deployment/crashing'
      const reason =
        /pod crashing-\S+: container "main": CrashLoopBackOff: back-off .* \(it ended with exit code 3\)$/
      const said = await until('the crash loop to wait', 50_000, async () => {
        const refusal = await refused(target)
        assert.equal(refusal.kind, 'pod-not-ready', refusal.message)
        return /CrashLoopBackOff/.test(refusal.message) && refusal
      })
      assertSays(said, notReady(target, reason))
    })

    // biome-ignore format: a table is read row by row
    const cases: readonly [name: string, target: string, reason: RegExp][] = [
      ['an image that is missing', 'deployment/imageless', /pod imageless-\S+: container "main": ErrImageNeverPull: Container image "localhost\/none:1" is not present with pull policy of Never$/],
      ['no node that fits', 'deployment/homeless', /pod homeless-\S+: Unschedulable: 0\/\d+ nodes are available: .*didn't match Pod's node affinity\/selector/],
      ['a readiness probe that fails', 'deployment/unready', /pod unready-\S+: container "main" runs, but its readiness probe does not succeed$/],
      ['an init container that is not through', 'deployment/waiting', /pod waiting-\S+: init container "migrate" has not finished$/],
      ['scaled to nothing', 'deployment/empty', /scaled to 0$/],
      ['a cron job that never ran', 'cronjob/twice', /no job of it runs \(it never ran one\)$/],
      ['a pod that is through', 'pod/done', /pod done: completed$/],
      ['a pod that failed', 'pod/failed', /pod failed: failed: container "main": Error: exit code 7$/],
    ]
    for (const [name, target, reason] of cases)
      it(name, async () => assertSays(await refused(target), notReady(target, reason)))
  })

  describe('in the name of the target:', () => {
    // biome-ignore format: a table is read row by row
    const cases: readonly [name: string, target: string, Expected][] = [
      ['one that the namespace does not have, with the one that was meant', 'deployment/shopp', { kind: 'target-not-found', message: 'Cannot find target "deployment/shopp": namespace "NAMESPACE" has no deployment of that name (did you mean "shop"?)', fix: listed }],
      ['a bare one that nothing has', 'nothing', { kind: 'target-not-found', message: 'Cannot find target "nothing": namespace "NAMESPACE" has nothing of that name that can be a target', fix: listed }],
      ['labels that no pod has', 'label/app=none', { kind: 'target-not-found', message: 'Cannot find target "label/app=none": no pod in namespace "NAMESPACE" has these labels', fix: listed }],
      ['a kind that the cluster does not have', 'replicationcontroller/shop', { kind: 'target-invalid', message: 'Cannot read target "replicationcontroller/shop": "replicationcontroller" is no kind of target', fix: written }],
      ['upper case', 'deployment/Shop', { kind: 'target-invalid', message: 'Cannot read target "deployment/Shop": names in Kubernetes are lower case (did you mean "shop"?)', fix: written }],
      ['a container that its pods do not have', 'deployment/shop/container/mian', { kind: 'container-not-found', message: 'Cannot find container "mian": deployment/shop has "main"', fix: 'Take one of "main"' }],
      ['a selector that is none', 'label/a in', { kind: 'selector-invalid', message: `Cannot use label selector "a in": unable to parse requirement: found '' expected: '('`, fix: 'Write it as for kubectl -l: "app=shop,tier!=db"' }],
      ['a name that two kinds have: both are said', 'twice', { kind: 'target-kind-ambiguous', message: 'Cannot choose target "twice": 2 kinds have that name (deployment/twice, cronjob/twice)', fix: 'Name one of them: deployment/twice, cronjob/twice' }],
    ]
    for (const [name, target, expected] of cases)
      it(name, async () => assertSays(await refused(target), expected))

    it('a namespace that the cluster does not have, and one that no cluster can have', async () => {
      const nowhere = 'bad-target-nowhere'
      for (const target of ['deployment/shop', 'shop', 'label/app=shop'])
        assertSays(await refused(target, nowhere), {
          kind: 'namespace-not-found',
          message: 'Cannot find namespace "bad-target-nowhere": the cluster has none of that name',
          fix: 'Take one of "kubectl get namespaces"; -n names it',
        })
      const impossible = await refused('shop', '../default')
      assert.equal(impossible.kind, 'config-invalid')
      assert.match(impossible.message, /namespace/)
    })
  })

  describe('in the node under the pod:', () => {
    let strange: Awaited<ReturnType<typeof makeStrangePod>>[] = []
    before(async () => {
      const taints = [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }]
      const nodes = {
        tainted: { labels: {}, taints },
        labelled: { labels: { type: 'virtual-kubelet' } },
        fargate: { labels: { 'eks.amazonaws.com/compute-type': 'fargate' } },
        windows: { labels: { 'kubernetes.io/os': 'windows' } },
      }
      // A minute later the cluster misses their kubelets, and says that their pods are not ready.
      strange = await Promise.all(
        Object.entries(nodes).map(([name, node]) => makeStrangePod(namespace, name, node)),
      )
    })
    after(async () => {
      await Promise.all(strange.map(each => each.remove()))
    })

    // biome-ignore format: a table is read row by row
    const cases: readonly [pod: string, provider: string][] = [
      ['tainted', 'azure'], ['labelled', 'virtual-kubelet'], ['fargate', 'AWS Fargate'],
    ]
    it('it is virtual', async () => {
      for (const [pod, provider] of cases)
        assertSays(await refused(`pod/${pod}`), {
          kind: 'pod-unsupported',
          message: `Cannot attach to pod "${pod}": node "${pod}-NAMESPACE" is virtual (${provider}), and no second pod can stand beside the first there`,
          fix: 'Take a target on an ordinary node',
        })
    })

    it('it runs Windows', async () => {
      assertSays(await refused('pod/windows'), {
        kind: 'pod-unsupported',
        message:
          'Cannot attach to pod "windows": it runs on Windows (node "windows-NAMESPACE"), and the agent needs Linux',
        fix: 'Take a target on a Linux node',
      })
    })
  })

  it('is listed with the same reason, beside its pods that are not ready', async () => {
    const run = runs.start(['ls', '-n', namespace, '--output', 'json'])
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    const { targets } = published('ListOutput', run.stdout.all[0]!) as { targets: Target[] }
    const reasons = new Map(targets.map(({ target, ready, reason }) => [target, ready ? 'ready' : reason]))
    // biome-ignore format: a table is read row by row
    const expected: Record<string, RegExp> = {
      'deployment/shop': /^ready$/,
      'deployment/empty': /^scaled to 0$/,
      'deployment/imageless': /^0 of 1 ready: pod imageless-\S+: container "main": ErrImageNeverPull: /,
      'deployment/homeless': /^0 of 1 ready: pod homeless-\S+: Unschedulable: 0\/\d+ nodes are available/,
      'deployment/unready': /^0 of 1 ready: pod unready-\S+: container "main" runs, but its readiness probe does not succeed$/,
      'deployment/waiting': /^0 of 1 ready: pod waiting-\S+: init container "migrate" has not finished$/,
      'cronjob/twice': /^no job of it runs \(it never ran one\)$/,
      'pod/done': /^completed$/,
      'pod/failed': /^failed: container "main": Error: exit code 7$/,
    }
    for (const [target, reason] of Object.entries(expected))
      assert.match(reasons.get(target) ?? 'not listed', reason, target)
  })

  it('is told in the same words in a terminal, the sentence and then its fix', async () => {
    const { code, stdout, stderr } = runs.exec({ namespace, target: 'twice' }, ['echo', 'ran'])
    assert.equal(await code, 125)
    assert.deepEqual(stdout.all, [])
    assert.deepEqual(stderr.all.slice(-2), [
      'standin: Cannot choose target "twice": 2 kinds have that name (deployment/twice, cronjob/twice)',
      'standin: fix: Name one of them: deployment/twice, cronjob/twice',
    ])
  })

  it('is answered to a client of JSON-RPC with code, kind and fix, and the server goes on', async () => {
    const { child, client, ended } = startRawServer(['--stdio'], clusterEnvironment(mark.environment))
    try {
      await client.ask('initialize', {})
      // biome-ignore format: a table is read row by row
      const cases: readonly [target: string, config: object, code: number, kind: string][] = [
        ['deployment/none', configIn(namespace), 1102, 'target-not-found'],
        ['twice', configIn(namespace), 1107, 'target-kind-ambiguous'],
        ['label/a in', configIn(namespace), 1108, 'selector-invalid'],
        ['deployment/shop/container/none', configIn(namespace), 3102, 'container-not-found'],
        ['deployment/empty', configIn(namespace), 3103, 'pod-not-ready'],
        ['shop', configIn('bad-target-nowhere'), 3101, 'namespace-not-found'],
        ['shop', { ...configIn(namespace), kube_context: 'none' }, 3003, 'context-not-found'],
      ]
      for (const [target, config, code, kind] of cases) {
        const { error } = await client.ask('startSession', { target, config })
        assert.deepEqual([error?.code, error?.data.kind], [code, kind], JSON.stringify(error))
        assert.ok(error?.data.fix)
      }
      const { result } = await client.ask('listSessions', {})
      const states = (result as { sessions: { state: string }[] }).sessions.map(({ state }) => state)
      assert.deepEqual(states, new Array(cases.length).fill('failed'))
      const { error } = await client.ask('describeTarget', { target: 'label/a in', namespace })
      assert.equal(error?.data.kind, 'selector-invalid')
    } finally {
      child.stdin?.end()
      await ended
    }
  })
}).timeout(60_000)

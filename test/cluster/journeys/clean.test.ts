// standin clean on a real cluster: what a crash left is found, told and removed, and what a session uses stays.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { published } from '../../stage/published.ts'
import { until } from '../run.ts'
import { agentObjects } from '../stage/found-agent.ts'
import { kubectl, objectOf, waitForObject } from '../stage/kubectl.ts'
import { makeFinishedJob, makeOrphanPod, makeOverdueJob } from '../stage/leftover-agents.ts'
import { roleOfReadme } from '../stage/session-role.ts'
import { clusterEnvironment, type StandinRun, StandinRuns, serveShop } from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { type User, userWith } from '../stage/users.ts'

type Leftover = { kind: string; name: string; action: string; reason: string; failure?: string }

/** A pod without its Job is taken for one that the cluster is about to remove until it is so old. */
const orphanSeconds = 60

describe('standin clean', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let shop: Shop
  let user: User
  let withoutPods: User
  let living: StandinRun
  let livingJob: string
  let orphan: string
  let entry: string
  before(async () => {
    shop = await startShop('clean')
    const { namespace } = shop
    orphan = await makeOrphanPod(namespace)
    const rules = roleOfReadme()
    withoutPods = await userWith({ namespace, rules })
    user = await userWith({
      namespace,
      rules: [...rules, { apiGroups: [''], resources: ['pods'], verbs: ['delete'] }],
    })
    const ephemeral = runs.exec(shop, ['true'], { args: ['--ephemeral'] })
    assert.equal(await ephemeral.code, 0, ephemeral.stderr.all.join('\n'))
    const [pod] = await shop.pods()
    const { spec } = await objectOf(['-n', namespace, 'pod', pod!.name])
    entry = `${pod!.name}/${spec.ephemeralContainers[0].name}`
    living = runs.exec(shop, serveShop)
    await living.stdout.until('its command', line => line.startsWith('listening'), 60_000)
    ;[livingJob = ''] = (await agentObjects(namespace)).filter(name => name.startsWith('job'))
  })
  after(async () => {
    await runs.end()
    await user?.remove()
    await withoutPods?.remove()
    await shop?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function clean(as: User, args: string[], code = 0): Promise<Map<string, Leftover>> {
    const run = runs.start(['clean', '-n', shop.namespace, '--output', 'json', ...args], {
      environment: { KUBECONFIG: as.kubeconfig },
    })
    assert.equal(await run.code, code, run.stderr.all.join('\n'))
    const { leftovers } = published('CleanOutput', run.stdout.all[0]!) as { leftovers: Leftover[] }
    return new Map(leftovers.map(each => [each.name, each]))
  }

  const untilOrphaned = () =>
    until('the pod to be old enough', (orphanSeconds + 30) * 1_000, async () => {
      const pod = await objectOf(['-n', shop.namespace, 'pod', orphan])
      return Date.now() - Date.parse(pod.metadata.creationTimestamp) > (orphanSeconds + 2) * 1_000
    })

  /** The living session's Job, and the ephemeral container's entry. */
  function assertKept(found: Map<string, Leftover>): void {
    const job = found.get(livingJob.replace(/^job[^/]*\//, ''))
    assert.equal(job?.action, 'kept')
    assert.match(job.reason, /^a session uses it, or it ends when its lease runs out, \d+ (s|min) from now$/)
    const ephemeral = found.get(entry)
    assert.deepEqual([ephemeral?.kind, ephemeral?.action], ['EphemeralContainer', 'kept'])
    assert.equal(ephemeral?.reason, 'it ended; Kubernetes keeps the entry until its pod is deleted')
  }

  it('keeps the Job and the pod of a session that lives, and says so of an ephemeral entry', async () => {
    const found = await clean(user, [])
    assertKept(found)
    const young = found.get(orphan)
    if (young?.action === 'kept') assert.match(young.reason, /the cluster removes it by itself$/)
    assert.ok((await agentObjects(shop.namespace)).includes(livingJob))
  })

  it('tells with --dry-run what it would remove, and why, and removes nothing; then removes it', async () => {
    const finished = await makeFinishedJob(shop.namespace)
    const overdue = await makeOverdueJob(shop.namespace)
    const before = await agentObjects(shop.namespace)
    const told = await clean(user, ['--dry-run'])
    assertKept(told)
    assert.deepEqual([told.get(finished)?.action, told.get(overdue)?.action], ['wouldRemove', 'wouldRemove'])
    assert.match(
      told.get(finished)?.reason ?? '',
      /^its agent ended (39|40|41) min ago, and the cluster did not remove it$/,
    )
    assert.match(
      told.get(overdue)?.reason ?? '',
      /^its lease ran out (19|20|21) min ago, and the cluster did not end it$/,
    )
    assert.deepEqual(await agentObjects(shop.namespace), before)
    const found = await clean(user, [])
    assertKept(found)
    for (const name of [finished, overdue]) {
      assert.doesNotMatch(found.get(name)?.action ?? '', /^(kept|failed|wouldRemove)$/)
      await waitForObject(`the end of ${name}`, ['-n', shop.namespace, 'job', name], job => job === undefined)
    }
  })

  it('names the permission that it lacks for a pod without its Job, and removes it with that', async () => {
    await untilOrphaned()
    const refused = (await clean(withoutPods, [], 1)).get(orphan)
    assert.equal(refused?.action, 'failed')
    assert.equal(
      refused.failure,
      `Cannot delete pods in namespace "${shop.namespace}": 403, the permission is missing`,
    )
    const found = (await clean(user, [])).get(orphan)
    assert.equal(found?.reason, 'its Job is gone, and the cluster did not remove it')
    await waitForObject('the end of the pod', ['-n', shop.namespace, 'pod', orphan], pod => pod === undefined)
  })

  it('has disturbed no session, and finds nothing to remove when it is asked again', async () => {
    const found = await clean(user, [])
    assertKept(found)
    assert.equal(found.size, 2, JSON.stringify([...found]))
    assert.deepEqual((await shop.call(20, 2)).failed, 0)
    await living.stdout.untilCount('requests at the program', 20, line => line.startsWith('/'))
    living.child.kill('SIGTERM')
    assert.equal(await living.code, 0, living.stderr.all.join('\n'))
    await until('the end of the session', 20_000, async () => {
      return (await kubectl(['-n', shop.namespace, 'get', 'jobs', '-o', 'name'])) === ''
    })
  })
}).timeout(180_000)

// What the terminal client says about a real cluster: contexts, namespaces, targets, permissions, leftovers.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { published } from '../../stage/published.ts'
import { until } from '../run.ts'
import { kubeconfig, kubectl } from '../stage/kubectl.ts'
import { roleOfReadme } from '../stage/session-role.ts'
import { agentImage, clusterEnvironment, StandinRuns } from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { agentPods } from '../stage/session-stand.ts'
import { type User, userWith } from '../stage/users.ts'

const mark = markRun()
const runs = new StandinRuns(clusterEnvironment(mark.environment))
const words = (text: string) => text.split(/\s+/).filter(Boolean)

type Options = Parameters<StandinRuns['start']>[1]

/** Runs a command to its end, which must be a good one unless another code is expected. */
async function said(args: string[], options: Options & { code?: number } = {}) {
  const { code = 0, ...rest } = options
  const run = runs.start(args, rest)
  assert.equal(await run.code, code, run.stderr.all.join('\n'))
  return { stdout: run.stdout.all, stderr: run.stderr.all }
}

describe('standin about a cluster', () => {
  let shop: Shop
  before(async () => {
    shop = await startShop('cli', { replicas: 2 })
  })
  after(() => shop?.end())
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    await until(
      'the pods of agents to be gone',
      30_000,
      async () => (await agentPods(shop.namespace)).length === 0,
    )
  })

  it('contexts and namespaces are those of kubectl', async () => {
    const contexts = await said(['contexts', '--output', 'names'])
    assert.deepEqual(contexts.stdout, words(await kubectl(['config', 'get-contexts', '-o', 'name'])))
    assert.match((await said(['contexts'])).stdout[1]!, /^\*/)
    published('ContextsOutput', (await said(['contexts', '--output', 'json'])).stdout[0]!)
    const { stdout } = await said(['namespaces', '--output', 'names'])
    for (const name of ['default', 'kube-system', shop.namespace]) assert.ok(stdout.includes(name))
    published('NamespacesOutput', (await said(['namespaces', '--output', 'json'])).stdout[0]!)
  })

  it('ls shows pods, ports and containers in a table, and the same targets as JSON and as names', async () => {
    const of = ['ls', '-n', shop.namespace]
    const table = (await said(of)).stdout
    assert.deepEqual(words(table[0]!).slice(0, 4), ['TARGET', 'READY', 'PORTS', 'CONTAINERS'])
    assert.ok(
      table.some(line => /^deployment\/shop +2\/2 +8080 +shop\b/.test(line)),
      table.join('\n'),
    )
    const found = published('ListOutput', (await said([...of, '--output', 'json'])).stdout[0]!)
    const names = (found.targets as { target: string }[]).map(({ target }) => target)
    assert.deepEqual((await said([...of, '--output', 'names'])).stdout, names)
    assert.ok(names.includes('deployment/shop') && names.includes('service/shop'))
    const labelled = await said([...of, '-l', 'app=callers', '--kind', 'pod', '--output', 'names'])
    assert.deepEqual(labelled.stdout, ['pod/callers'])
    const everywhere = (await said(['ls', '-A', '--name', 'shop'])).stdout
    assert.match(everywhere[0]!, /^NAMESPACE +TARGET/)
    assert.ok(everywhere.some(line => line.startsWith(`${shop.namespace} `)))
  })

  it('describe shows the pods, and for a user with the Role of README that nothing is known to be missing', async () => {
    const user = await userWith({ namespace: shop.namespace, rules: roleOfReadme() })
    try {
      const environment = { KUBECONFIG: user.kubeconfig }
      const page = (await said(['describe', 'deployment/shop'], { environment })).stdout.join('\n')
      assert.match(
        page,
        /^deployment\/shop\n[\s\S]*pods +2 of 2 ready[\s\S]*container\/shop {2}\(a session would take/,
      )
      assert.match(page, /^A session needs \(all that is known is there, 1 not known\)$/m)
      assert.match(page, /^ {2}\? {4}Pod Security .*\n {7}not known: you may not read namespace/m)
      const json = await said(['describe', 'deployment/shop', '--output', 'json'], { environment })
      published('DescribeOutput', json.stdout[0]!)
      const list = await said(['ls'], { environment })
      assert.deepEqual(list.stderr, [], 'no kind is out of sight')
      await said(['clean'], { environment })
    } finally {
      await user.remove()
    }
  })

  it('describe names each permission that is missing, with its fix', async () => {
    const rules = [{ apiGroups: ['', 'apps'], resources: ['pods', 'deployments'], verbs: ['get', 'list'] }]
    const user: User = await userWith({ namespace: shop.namespace, rules })
    try {
      const { stdout } = await said(['describe', 'deployment/shop'], {
        environment: { KUBECONFIG: user.kubeconfig },
      })
      const page = stdout.join('\n')
      for (const missing of ['create jobs.batch', 'watch pods', 'get pods/portforward'])
        assert.match(page, new RegExp(`^  NO   .*${missing}.*\n       fix: `, 'm'))
    } finally {
      await user.remove()
    }
  })

  it('clean says that nothing is left behind where nothing is', async () => {
    const { stdout, stderr } = await said(['clean', '-n', shop.namespace])
    assert.deepEqual(stdout, [])
    assert.deepEqual(stderr, ['standin: nothing is left behind'])
    const json = await said(['clean', '-n', shop.namespace, '--dry-run', '--output', 'json'])
    assert.deepEqual(published('CleanOutput', json.stdout[0]!), { leftovers: [] })
  })

  describe('in a folder with a configuration', () => {
    let folder: string
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'cli-cluster-'))
      mkdirSync(join(folder, '.standin'))
      const config = {
        target: { path: 'deployment/shop', namespace: shop.namespace },
        kubeconfig,
        agent: { image: agentImage, labels: { team: 'cli' } },
      }
      writeFileSync(join(folder, '.standin/standin.json'), JSON.stringify(config))
    })
    after(() => rmSync(folder, { recursive: true, force: true }))
    // Nothing but the file leads to the cluster.
    const environment = { KUBECONFIG: '/nonexistent', STANDIN_AGENT_IMAGE: '' }

    it('exec needs neither a target nor a cluster on the command line', async () => {
      const { stdout } = await said(['exec', '--', 'sh', '-c', 'echo $SHOP_REGION'], {
        cwd: folder,
        environment,
      })
      assert.deepEqual(stdout, ['pod'])
    })

    it('ls, describe, namespaces and clean mean the same cluster and namespace', async () => {
      const there = { cwd: folder, environment }
      assert.ok((await said(['ls', '--output', 'names'], there)).stdout.includes('deployment/shop'))
      assert.equal((await said(['describe', 'deployment/shop'], there)).stdout[0], 'deployment/shop')
      assert.ok((await said(['namespaces', '--output', 'names'], there)).stdout.includes(shop.namespace))
      await said(['clean'], there)
    })
  })

  it('a step that waits says why, and Ctrl-C then leaves nothing', async () => {
    const run = runs.exec(shop, ['true'], { args: ['-i', 'localhost/no-such-image:1'] })
    await run.stderr.until('the reason', line => line.includes('cannot be pulled'), 60_000)
    run.child.kill('SIGINT')
    assert.equal(await run.code, 130, run.stderr.all.join('\n'))
    assert.deepEqual(words(await kubectl(['-n', shop.namespace, 'get', 'jobs', '-o', 'name'])), [])
  })
}).timeout(120_000)

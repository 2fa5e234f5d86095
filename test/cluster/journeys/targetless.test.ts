// Sessions without a target, in a namespace that enforces Pod Security "restricted": what they reach, what they may, and what is left of them.
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import type { AgentConfig } from '../../../protocol/config.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Answer, startRawServer } from '../../stage/raw-server.ts'
import { until } from '../run.ts'
import { ClientUsers } from '../stage/client-users.ts'
import { apply, freshNamespace, objectOf, settledNamespace } from '../stage/kubectl.ts'
import { difference, objects } from '../stage/objects.ts'
import { refusalOf } from '../stage/refused.ts'
import { processesOfPod } from '../stage/session-pod-processes.ts'
import { type Permission, permissionText } from '../stage/session-role.ts'
import { clusterEnvironment, configIn, type StandinRun, StandinRuns } from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { agentPods, untilNoAgents } from '../stage/session-stand.ts'
import { userWith } from '../stage/users.ts'

const target = 'targetless'
const deletedMs = 20_000

/** Asks for the path at the address, for ever or once, and says the status or errno of each; then its host name and its variables of services. */
const ask = `
const [address, path, often] = process.argv.slice(1)
const once = done => require('http').get({ host: address, port: 8080, path, agent: false, timeout: 5_000 }, answer => {
  console.log(answer.statusCode)
  answer.resume().on('end', done)
}).on('error', error => { console.log(error.code); done() })
const again = () => once(() => setTimeout(again, 100))
if (often) again()
else once(() => {
  const services = Object.keys(process.env).filter(name => /_SERVICE_HOST$|^NODE_VERSION$|^YARN_VERSION$/.test(name))
  console.log(JSON.stringify([require('os').hostname(), services.sort()]))
})`

const leaving = /^standin: standing in for no pod: connections leave from standin-agent-\S+, (\S+)$/
/** Of the agent's pod, as the user is told. */
const addressIn = ({ stderr }: StandinRun): string | undefined =>
  stderr.all.map(line => leaving.exec(line)?.[1]).find(address => address !== undefined)

/** What a session without a target may do: no more than to make its agent, see it and reach it. */
const needed: readonly Permission[] = [
  ...['create', 'patch', 'delete'].map(verb => ({ group: 'batch', resource: 'jobs', verb })),
  ...['list', 'watch'].map(verb => ({ group: '', resource: 'pods', verb })),
  ...['list', 'watch'].map(verb => ({ group: '', resource: 'events', verb })),
  ...['get', 'create'].map(verb => ({ group: '', resource: 'pods/portforward', verb })),
]
const rulesOf = (permissions: readonly Permission[]) =>
  permissions.map(({ group, resource, verb }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
  }))

describe('a session without a target', () => {
  const mark = markRun()
  const environment = clusterEnvironment(mark.environment)
  const runs = new StandinRuns(environment)
  let shop: Shop
  let namespace: string
  let remove: () => Promise<void>
  before(async () => {
    shop = await startShop('targetless-shop')
    const labels = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'latest',
    }
    ;({ name: namespace, remove } = await freshNamespace('targetless', labels))
    await settledNamespace(namespace)
    const spec = { ports: [{ port: 80 }] }
    await apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'own-ledger', namespace }, spec })
  })
  after(async () => {
    await remove?.()
    await shop?.end()
  })
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    await untilNoAgents(namespace)
  })

  const exec = (command: readonly string[], options: Parameters<StandinRuns['exec']>[2] = {}) =>
    runs.exec({ namespace, target }, command, options)
  const asking = (path: string, ...often: string[]) => {
    const name = `shop.${shop.namespace}`
    return [process.execPath, '-e', ask, name, path, ...often]
  }
  /** Addresses that the shop saw ask for the path. */
  const callers = async (path: string): Promise<string[]> => {
    const lines = (await shop.served()).filter(line => line.startsWith(`${path} `))
    return [...new Set(lines.map(line => line.replace('::ffff:', '').split(' ')[3]!))]
  }

  it("reaches a service by its name from a pod of the namespace, with the services' variables, and leaves nothing", async () => {
    const before = await objects({ namespaces: [namespace] })
    const run = exec(asking('/once'))
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    const [status, told] = run.stdout.all
    assert.equal(status, '200')
    const [name, services] = JSON.parse(told!) as [string, string[]]
    assert.equal(name, hostname())
    assert.ok(services.includes('KUBERNETES_SERVICE_HOST'), told)
    assert.deepEqual(
      services.filter(each => !each.startsWith('KUBERNETES_')),
      ['OWN_LEDGER_SERVICE_HOST'],
    )
    assert.deepEqual(await callers('/once'), [addressIn(run)])
    assert.match(run.stderr.all.at(-1)!, leaving, 'nothing is said after it')
    await until('the objects of the namespace to be as before', deletedMs, async () => {
      const { left, taken } = difference(before, await objects({ namespaces: [namespace] }))
      return left.length + taken.length === 0
    })
  })

  it('finds the names of its namespace', async () => {
    const look = `require('dns').lookup('own-ledger', { all: true }, (error, found) => console.log(error?.code ?? found[0].address))`
    const run = exec([process.execPath, '-e', look])
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    const service = await objectOf(['-n', namespace, 'service', 'own-ledger'])
    assert.deepEqual(run.stdout.all, [service.spec.clusterIP])
  })

  it('hears the errors that the pod hears, and of loopback those of this machine, not of its agent', async () => {
    const [pod] = await shop.pods()
    const connect = `
      const told = JSON.parse(process.argv[1]).map(([host, port]) => new Promise(resolve =>
        require('net').connect(port, host).on('error', e => resolve(e.code)).on('connect', () => resolve('open'))))
      Promise.all(told).then(all => { console.log(all.join()); process.exit() })`
    const places = [[pod!.address, 81], ...['127.0.0.1', '::1'].map(host => [host, 27_183])]
    const run = exec([process.execPath, '-e', connect, JSON.stringify(places)])
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    assert.deepEqual(run.stdout.all, ['ECONNREFUSED,ECONNREFUSED,ECONNREFUSED'])
  })

  /** What startSession answers an editor that then stops. */
  async function startSession(agent: AgentConfig = {}): Promise<Answer> {
    const { child, client, ended } = startRawServer(['--stdio'], environment)
    try {
      await client.ask('initialize', {})
      return await client.ask('startSession', { target, config: configIn(namespace, agent) })
    } finally {
      child.stdin?.end()
      await ended
    }
  }

  it('tells an editor the namespace, and neither ports nor warnings', async () => {
    const { result, error } = await startSession()
    assert.equal(error, undefined, JSON.stringify(error))
    const { target: told, ports, warnings, hostname: name } = result!
    assert.deepEqual(told, { target, kind: target, name: namespace, ready: true, ports: [], namespace })
    assert.deepEqual([ports, warnings], [[], []])
    assert.match(String(name), /^standin-agent-/)
  })

  it('goes on from another pod when its agent is killed', async () => {
    const run = exec(asking('/kept', 'often'), { args: ['-v'] })
    await run.stdout.until('an answer', line => line === '200', 60_000)
    const [agent] = await agentPods(namespace)
    const pids = processesOfPod(agent!.uid, /^node /)
    assert.equal(pids.length, 1)
    process.kill(pids[0]!, 'SIGKILL')
    const addresses = await until('another pod to ask', 60_000, async () => {
      const found = await callers('/kept')
      return found.length > 1 && found
    })
    assert.equal(addresses[0], addressIn(run))
    assert.equal(run.child.exitCode, null)
  })

  it('needs no more rights than these, each named when it is missing, and describe tells of them', async () => {
    const user = await userWith({ namespace, rules: rulesOf(needed) })
    try {
      const as = { environment: { KUBECONFIG: user.kubeconfig } }
      const run = exec(asking('/once'), as)
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
      assert.equal(run.stdout.all[0], '200')
      const described = runs.start(['describe', target, '-n', namespace], as)
      assert.equal(await described.code, 0, described.stderr.all.join('\n'))
      const needs = described.stdout.all.filter(line => /^ {2}(yes|NO |\?) {2,}/.test(line))
      assert.deepEqual(
        needs.map(line => line.trim()),
        [
          ...needed.map(permission => `yes  ${permissionText(permission)} in namespace "${namespace}"`),
          `yes  admission of the agent's Job in namespace "${namespace}"`,
          `yes  Pod Security level "restricted" in namespace "${namespace}"`,
        ],
      )
    } finally {
      await user.remove()
    }
    for (const missing of needed) {
      const lesser = await userWith({ namespace, rules: rulesOf(needed.filter(each => each !== missing)) })
      try {
        const args = ['--output', 'json']
        const { message } = await refusalOf(
          exec(['true'], { args, environment: { KUBECONFIG: lesser.kubeconfig } }),
        )
        const where = `in namespace "${namespace}": 403, the permission is missing`
        assert.equal(message, `Cannot ${permissionText(missing)} ${where}`)
      } finally {
        await lesser.remove()
      }
    }
  }).timeout(240_000)

  it('is refused as every other target where there is no such namespace, and no cluster', async () => {
    const refused = (of: { namespace: string; target: string }, more: NodeJS.ProcessEnv) =>
      refusalOf(runs.exec(of, ['true'], { args: ['--output', 'json'], environment: more }))
    const users = await ClientUsers.make()
    try {
      const cases: [string, NodeJS.ProcessEnv, string][] = [
        ['targetless-nowhere', {}, 'namespace-not-found'],
        [namespace, { KUBECONFIG: '/nonexistent/config' }, 'kubeconfig-missing'],
        [
          namespace,
          { KUBECONFIG: users.file({ cluster: { server: 'https://127.0.0.1:1' } }) },
          'cluster-refused',
        ],
      ]
      for (const [inNamespace, more, kind] of cases) {
        const own = await refused({ namespace: inNamespace, target }, more)
        assert.equal(own.kind, kind)
        assert.deepEqual(own, await refused({ namespace: inNamespace, target: 'pod/web' }, more))
      }
    } finally {
      users.end()
    }
  })

  it('is not admitted with more rights than "restricted" has, and is told what to leave out', async () => {
    const { error } = await startSession({ security_context: { runAsUser: 0 } })
    assert.equal(error?.data.kind, 'agent-refused')
    assert.match(error.message, /violates PodSecurity "restricted:latest": .*runAsUser=0/)
    assert.match(error.data.fix, /^Leave agent\.security_context out/)
    const jobs = await objectOf(['-n', namespace, 'jobs'])
    assert.deepEqual(jobs?.items ?? [], [])
  })
})

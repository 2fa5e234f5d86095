// An agent without a target, delivered to a bootstrap that runs as its container does in a cluster: as nobody, without a capability or a folder.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { agentContainer, capabilities } from '../../server/kubernetes/agent/container.ts'
import { ended, type Line } from '../stage/agent-program.ts'
import {
  type Bootstrap,
  type DeliveredAgent,
  killBootstraps,
  linkDelivered,
  startBootstrap,
} from '../stage/bootstrap.ts'
import { linesOf } from '../stage/lines.ts'
import { type Cable, connectNamespaces, type Namespace, startNamespace } from '../stage/namespace.ts'

const { runAsUser, runAsGroup } = agentContainer('targetless', [], {}).securityContext!
const rights = ['-all', ...capabilities.targetless.map(name => `+${name}`)].join()
const asInPod = [
  ...['setpriv', `--reuid=${runAsUser}`, `--regid=${runAsGroup}`, '--clear-groups', '--no-new-privs'],
  ...[`--bounding-set=${rights}`, `--inh-caps=${rights}`, '--'],
]
/** No file can be made anywhere. */
const readOnly = [
  ...['/tmp', '/var/tmp', '/dev/shm'].map(folder => `mount -t tmpfs -o ro tmpfs ${folder}`),
  'mount -o bind,remount,ro /',
  '! touch /refused 2>/dev/null',
]
const through = [
  ...['unshare', '--mount', '--', 'sh', '-c', `${readOnly.join(' && ')} && exec "$@"`, 'sh'],
  ...asInPod,
]
const service = {
  SHOP_SERVICE_HOST: '10.96.1.2',
  SHOP_SERVICE_PORT: '80',
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
}
const environment = { ...service, PATH: '/usr/bin', HOSTNAME: 'x', NODE_VERSION: '22.1.0', TZ: 'UTC' }

/** Answers each connection with the address that it came from. */
const teller = `
require('net').createServer(s => s.on('error', () => {}).end(s.remoteAddress.replace('::ffff:', '')))
  .listen(8080, () => console.log('listening'))`

describe('an agent without a target', () => {
  let services: Namespace
  let cable: Cable
  before(async () => {
    services = await startNamespace()
    cable = await connectNamespaces(own, services, 40)
    const child = services.spawn(process.execPath, ['-e', teller], { stdio: ['ignore', 'pipe', 'inherit'] })
    await linesOf(child.stdout).until('the teller to listen', line => line === 'listening')
  })
  afterEach(killBootstraps)
  after(() => services.end())

  const argvFor = ({ keys }: Bootstrap, graceMs = 30_000) => {
    const key = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    return ['attach-own', '--session', 's1', '--key', key, '--grace-ms', String(graceMs)]
  }
  const started = async (graceMs?: number): Promise<Bootstrap> => {
    const boot = await startBootstrap({ through, environment })
    await boot.deliver(argvFor(boot, graceMs))
    return boot
  }
  const linked = async () => {
    const boot = await started()
    return { boot, agent: await linkDelivered(boot) }
  }
  const exitCode = async ({ child }: Bootstrap) => {
    await ended(child)
    return child.exitCode
  }

  it('serves with no right at all, in its own namespaces, and has loaded no native code', async () => {
    const { boot, agent } = await linked()
    await agent.ask({ ask: 'describe' })
    const at = (file: string) => readFileSync(`/proc/${boot.child.pid}/${file}`, 'utf8')
    const status = at('status')
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match(status, new RegExp(`^${set}:\\t0{16}$`, 'm'))
    assert.match(status, /^NoNewPrivs:\t1$/m)
    assert.match(status, new RegExp(`^Uid:\\t${runAsUser}\\t`, 'm'))
    assert.doesNotMatch(at('maps'), /koffi/)
    for (const kind of ['net', 'uts', 'pid'])
      assert.equal(readlinkSync(`/proc/${boot.child.pid}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`))
    agent.link.close('the test is over')
  })

  it('tells of its own pod, its files of names, of the services of its namespace, and of nothing that listens', async () => {
    const { agent } = await linked()
    const { target, nameFiles, ...facts } = await agent.ask({ ask: 'describe' })
    assert.deepEqual((target as Line).target, 'targetless')
    assert.deepEqual(facts, {
      ...{ hostname: hostname(), addresses: [cable.first.ipv4, cable.first.ipv6] },
      ...{ ports: [], environment: service, ownNetwork: true },
    })
    const read = (path: string) => readFileSync(path, 'utf8')
    assert.deepEqual(nameFiles, {
      ...{ notices: [], resolvConf: read('/etc/resolv.conf'), hosts: read('/etc/hosts') },
    })
    const counters = Object.values(await agent.ask({ ask: 'counters' }))
    assert.deepEqual([...new Set(counters)], [0])
    agent.link.close('the test is over')
  })

  it('connects from its own pod, and tells the errno of what refuses', async () => {
    const { agent } = await linked()
    for (const end of ['ipv4', 'ipv6'] as const) {
      const address = cable.second[end]
      const open = await dial(agent, { address, port: 8080 })
      assert.equal((open.told.local as Line).address, cable.first[end])
      assert.equal(await open.answer, cable.first[end])
      const refused = await dial(agent, { address, port: 8081 })
      assert.deepEqual([refused.told.event, refused.told.errno], ['dialFailed', 'ECONNREFUSED'])
    }
    agent.link.close('the test is over')
  })

  it('captures nothing', async () => {
    const { agent } = await linked()
    const failure = await agent.refused({ ask: 'subscribe', ports: [8080], answers: 'none' })
    assert.deepEqual(
      [failure.kind, failure.values.reason],
      ['frame-invalid', 'an agent without a target captures nothing'],
    )
    agent.link.close('the test is over')
  })

  describe('ends', () => {
    it('when the server asks for it over the link', async () => {
      const { boot, agent } = await linked()
      agent.link.endpoint.control({ id: 1, ask: 'end' })
      assert.equal(await exitCode(boot), 0)
      agent.link.close('the test is over')
      assert.equal(boot.log.all.at(-1), 'the server asked for the end')
    })

    it('at SIGTERM, and not at SIGINT', async () => {
      const boot = await started()
      boot.child.kill('SIGINT')
      boot.child.kill('SIGTERM')
      assert.equal(await exitCode(boot), 0)
      assert.equal(boot.log.all.at(-1), 'asked to end by SIGTERM')
    })

    it('when no server came within the grace time, or it stays away longer', async () => {
      const never = await started(300)
      assert.equal(await exitCode(never), 0)
      assert.equal(never.log.all.at(-1), 'the server never connected')
      const left = await started(1_000)
      const agent = await linkDelivered(left)
      agent.link.close('the test is over')
      assert.equal(await exitCode(left), 0)
    })
  })
})

/** The namespace of this test itself, as the end of a cable. */
const own: Namespace = {
  pid: process.pid,
  enter: ['env'],
  spawn: () => assert.fail('nothing is started here'),
  run: async (program, ...args) => (await promisify(execFile)(program, args)).stdout,
  end: async () => {},
}

/** What the agent says of it, and what the other end says until it ends. */
async function dial(agent: DeliveredAgent, to: { address: string; port: number }) {
  const stream = agent.link.endpoint.open({ dial: 'tcp', to })
  let text = ''
  const answer = new Promise<string>((resolve, reject) => {
    stream.events = {
      data: ({ bytes }) => {
        text += String(bytes)
        stream.grant(bytes.length)
      },
      end: () => resolve(text),
      reset: reason => reject(new Error(reason)),
    }
  })
  const told = await agent.said.take('the word on a dial', ({ stream: id }) => id === stream.id)
  stream.end()
  return { told, answer }
}

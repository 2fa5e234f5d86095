// Mirrored requests of a pod of a real cluster, through the terminal client and through JSON-RPC.
import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { launch, signalProcess } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { programOf } from '../../stage/pod.ts'
import { published } from '../../stage/published.ts'
import { kubectl } from '../stage/kubectl.ts'
import {
  clusterEnvironment,
  configIn,
  isRequest,
  requestsOf,
  StandinRuns,
  serveShop,
  untilCapturedBy,
} from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const nodemon = resolve('node_modules/nodemon/bin/nodemon.js')
const isListening = (line: string) => line.startsWith('listening')
const mark = markRun()
const environment = clusterEnvironment(mark.environment)
const runs = new StandinRuns(environment)

/** What callers send before this is the pod's alone. */
const untilCaptured = (backend: Backend) =>
  backend.messages.until('the capture', line => line === 'Port 8080 of the pod is captured')

/** The requests that the pods served since `before` are those that the process printed. */
async function assertSame(shop: Shop, before: readonly string[], process: readonly string[]): Promise<void> {
  const servedBefore = new Set(requestsOf(before))
  const since = requestsOf(await shop.served()).filter(line => !servedBefore.has(line))
  assert.deepEqual(requestsOf(process), since)
}

for (const [place, node, callersNode] of [
  ['callers of another node', 'node-a', 'node-b'],
  ['callers of its own node', 'node-b', 'node-b'],
] as const)
  describe(`a request to a pod from ${place}`, () => {
    let shop: Shop
    before(async () => {
      shop = await startShop('mirror', { node, callersNode })
    })
    after(() => shop?.end())
    afterEach(async () => {
      await runs.end()
      await untilNothing('processes of standin', () => processesOf(mark.value))
      await untilNoAgents(shop.namespace)
    })

    it("reaches the program of standin exec with the caller's address, 10,000 times from 50 at once, and the pod alone answers", async () => {
      const run = runs.exec(shop, serveShop, { args: ['-v'] })
      await untilCapturedBy(run)
      const before = await shop.served()
      const calls = await shop.call(10_000, 50)
      assert.deepEqual(calls, { answered: 10_000, wrong: 0, failed: 0, errors: [] })
      await run.stdout.untilCount('requests at the program', 10_000, isRequest, 60_000)
      await assertSame(shop, before, run.stdout.all)
      const callers = new Set(requestsOf(run.stdout.all).map(line => line.split(' ')[3]))
      assert.deepEqual([...callers], [shop.callersAddress])
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    }).timeout(240_000)

    it('shows in standin traffic with its answer, on a connection that was open before too', async () => {
      const view = runs.start([...['traffic', '-t', shop.target, '-n', shop.namespace, '--output', 'json']])
      // 20 s long, since a session takes its time to start.
      const calls = shop.call(2_000, 5, { everyMs: 50 })
      await view.stdout.untilCount(
        'responses',
        20,
        line => line.includes('"event":"response"') && line.includes('"status":200'),
        60_000,
      )
      const { failed, wrong } = await calls
      assert.deepEqual([failed, wrong], [0, 0])
      view.child.kill('SIGINT')
      assert.equal(await view.code, 0)
      for (const line of view.stdout.all) published('TrafficLine', line)
    })
  })

describe('a session of JSON-RPC on a cluster', () => {
  let shop: Shop
  let backend: Backend
  before(async () => {
    shop = await startShop('mirror-rpc')
  })
  after(() => shop?.end())
  beforeEach(async () => {
    backend = await startBackend(environment)
  })
  afterEach(async () => {
    backend.child.kill('SIGKILL')
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const start = (config: object = {}) =>
    backend.connection.request(startSession, {
      target: shop.target,
      config: { ...configIn(shop.namespace), ...config },
    })
  const stop = async (sessionId: string) => {
    await backend.connection.request(stopSession, { sessionId })
    await backend.stop()
    await untilNoAgents(shop.namespace)
  }

  it("mirrors to a process that listens on another port by port_mapping, and shows it the pod's environment", async () => {
    const config = { feature: { network: { incoming: { port_mapping: [[9090, 8080]] } } } }
    const { sessionId, environment: pod, hostname, addresses, target } = await start(config)
    const [only] = await shop.pods()
    assert.deepEqual([hostname, addresses], [only!.name, [only!.address]])
    assert.equal(target.target.startsWith('deployment/shop'), true, target.target)
    assert.equal(pod.set.SHOP_REGION, 'pod')
    const command = [process.execPath, '-e', 'console.log("region " + process.env.SHOP_REGION)']
    const shown = await backend.connection.request(launch, { sessionId, command })
    await backend.output(shown.processId).until('the environment', line => line === 'region pod')
    const { processId } = await backend.connection.request(launch, {
      sessionId,
      command: [process.execPath, programOf('hash-server.mjs'), '9090'],
    })
    const output = backend.output(processId)
    await output.until('the process listening', line => line === 'listening 9090')
    await untilCaptured(backend)
    const before = await shop.served()
    assert.equal((await shop.call(100, 5)).answered, 100)
    await output.untilCount('requests at the process', 100, isRequest)
    await assertSame(shop, before, output.all)
    await stop(sessionId)
  })

  it('mirrors to a process that starts to listen later, on a connection that was open before the session', async () => {
    const calls = shop.call(30_000, 3)
    const { sessionId } = await start()
    for (let round = 0; round < 2; round++) {
      const { processId } = await backend.connection.request(launch, { sessionId, command: serveShop })
      await backend.output(processId).untilCount('requests at the process', 50, isRequest)
      await backend.connection.request(signalProcess, { processId, signal: 'SIGTERM' })
      assert.deepEqual(await backend.exitOf(processId), { processId, code: 0 })
    }
    await stop(sessionId)
    const { failed, wrong } = await calls
    assert.deepEqual([failed, wrong], [0, 0])
  }).timeout(120_000)

  it('mirrors to a process that nodemon restarts, before and after', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-nodemon-'))
    const script = join(folder, 'server.mjs')
    copyFileSync(programOf('hash-server.mjs'), script)
    try {
      const { sessionId } = await start()
      const command = [process.execPath, nodemon, '--watch', script, script, '8080', '0.0.0.0']
      const { processId } = await backend.connection.request(launch, { sessionId, command, cwd: folder })
      const output = backend.output(processId)
      for (const round of [1, 2]) {
        await output.untilCount('the process listening', round, isListening)
        await untilCaptured(backend)
        assert.equal((await shop.call(50, 5)).answered, 50)
        await output.untilCount('requests at the process', 50 * round, isRequest)
        appendFileSync(script, '// changed\n')
      }
      await stop(sessionId)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('a pod with several containers', () => {
  let shop: Shop
  const second = {
    ...{ name: 'admin', image: 'localhost/node:20', imagePullPolicy: 'IfNotPresent' },
    command: ['node', '/programs/hash-server.mjs', '9000', '::'],
    env: [{ name: 'ADMIN_ONLY', value: 'yes' }],
    volumeMounts: [{ name: 'programs', mountPath: '/programs' }],
  }
  before(async () => {
    shop = await startShop('mirror-two', { besides: [second] })
  })
  after(() => shop?.end())
  afterEach(() => runs.end())

  const print = ['sh', '-c', 'echo "$SHOP_REGION,$ADMIN_ONLY"']

  it('gives the first one, with a notice that names both', async () => {
    const run = runs.exec(shop, print)
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    assert.deepEqual(run.stdout.all, ['pod,'])
    assert.ok(
      run.stderr.all.some(line => line.includes('admin') && line.includes('shop')),
      run.stderr.all.join('\n'),
    )
  })

  it('gives the one that is named, with its environment and the traffic of its port', async () => {
    const of = { ...shop, target: `${shop.target}/container/admin` }
    const shown = runs.exec(of, print)
    assert.equal(await shown.code, 0, shown.stderr.all.join('\n'))
    assert.deepEqual(shown.stdout.all, [',yes'])
    const command = [process.execPath, programOf('hash-server.mjs'), '9000']
    const run = runs.exec(of, command, { args: ['-v'] })
    await untilCapturedBy(run, 9000)
    const [pod] = await shop.pods()
    const ask = `fetch('http://${pod!.address}:9000/for-admin').then(a => console.log(a.status))`
    const inside = ['-n', shop.namespace, 'exec', 'callers', '--', 'node', '-e', ask]
    assert.equal(await kubectl(inside), '200')
    await run.stdout.until('the request', line => line.startsWith('/for-admin'))
    run.child.kill('SIGTERM')
    assert.equal(await run.code, 0)
  })
})

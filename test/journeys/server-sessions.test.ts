// Sessions from start to stop, as a client sees them: progress, failures, cancellation, another agent, live traffic.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { type Answer, type RawServer, startRawServer } from '../stage/raw-server.ts'
import { type SmallTarget, startSmallTarget } from '../stage/small-target.ts'

const run = markRun()
const ours = () => processesOf(run.value).filter(({ program }) => program !== 'other' && program !== 'server')
const agents = () => ours().filter(({ program }) => program === 'agent')

describe('sessions of the server', () => {
  let server: RawServer
  let target: SmallTarget
  beforeEach(async () => {
    target = await startSmallTarget(8080, { SHOP_REGION: 'eu', AWS_KEY: 'k' })
    server = startRawServer(['--stdio'], run.environment)
    await server.client.ask('initialize', {})
  })
  afterEach(async () => {
    server.child.stdin?.end()
    await server.ended
    await target.end()
    await untilNothing('processes of standin', ours)
  })
  const status = (state: string) =>
    server.client.until(
      `the status "${state}"`,
      ({ method, params }) => method === 'session/status' && params?.state === state,
    )
  const start = (more: object = {}) => server.client.ask('startSession', { target: target.name, ...more })

  it('start with a progress that names each step, and tell the environment and the ports', async () => {
    const { result } = await start({ workDoneToken: 't' })
    assert.deepEqual(result?.ports, [8080])
    assert.deepEqual(result?.addresses, [])
    const { set } = result!.environment as { set: Record<string, string> }
    assert.equal(set.SHOP_REGION, 'eu')
    assert.equal(set.PATH, undefined)
    const progress = server.client.received.filter(({ method }) => method === '$/progress')
    const values = progress.map(({ params }) => params?.value as Record<string, unknown>)
    assert.deepEqual(
      values.map(({ kind, step }) => step ?? kind),
      ['begin', 'resolve', 'agent', 'link', 'ready', 'end'],
    )
    assert.ok(values.every(({ elapsedMs }) => Number.isInteger(elapsedMs)))
    await status('starting')
    await status('running')
    const listed = await server.client.ask('listSessions')
    assert.match(JSON.stringify(listed.result), /"state":"running"/)
  })

  it('are stopped with everything of them, and stopping again is no error', async () => {
    const sessionId = (await start()).result?.sessionId
    assert.notDeepEqual(agents(), [])
    assert.equal((await server.client.ask('stopSession', { sessionId })).result, null)
    assert.deepEqual(agents(), [])
    assert.equal((await server.client.ask('stopSession', { sessionId })).result, null)
    assert.equal((await status('stopped')).params?.reason, 'stopped by the client')
    const late = await server.client.ask('launch', { sessionId, command: ['true'] })
    assert.equal(late.error?.data.kind, 'session-not-running')
  })

  for (const step of ['resolve', 'agent', 'link', 'ready']) {
    it(`leave nothing when they are cancelled at the step "${step}"`, async () => {
      server.client.send({
        id: 'start',
        method: 'startSession',
        params: { target: target.name, workDoneToken: 't' },
      })
      const isStep = ({ params }: Answer) => (params?.value as { step?: string } | undefined)?.step === step
      await server.client.until(`the step ${step}`, isStep)
      server.client.send({ method: '$/cancelRequest', params: { id: 'start' } })
      const answer = await server.client.until('the answer', ({ id }) => id === 'start')
      // At "ready" the answer is on its way already, so either may come.
      if (answer.error === undefined) assert.equal(step, 'ready')
      else {
        assert.equal(answer.error.code, -32800)
        assert.equal((await status('stopped')).params?.reason, 'cancelled by the client')
        assert.deepEqual(agents(), [])
      }
    })
  }

  it('are over before they run when the client stops them while they start', async () => {
    server.client.send({ id: 'start', method: 'startSession', params: { target: target.name } })
    const { params } = await status('starting')
    await server.client.ask('stopSession', { sessionId: params?.sessionId })
    assert.deepEqual(agents(), [])
    const { error } = await server.client.until('the answer', ({ id }) => id === 'start')
    assert.equal(error?.data.kind, 'session-not-running')
  })

  it('can be looked at before: the list of targets, also in parts, and the description of one', async () => {
    const { result } = await server.client.ask('listTargets', { kinds: ['process'], name: 'node' })
    assert.match(JSON.stringify(result?.targets), new RegExp(`"${target.name}"`))
    const parts = await server.client.ask('listTargets', { kinds: ['process'], partialResultToken: 'part' })
    assert.deepEqual(parts.result?.targets, [])
    const isPart = ({ params }: Answer) => params?.token === 'part'
    const sent = server.client.received.filter(isPart).map(({ params }) => JSON.stringify(params))
    assert.match(sent.join(), new RegExp(`"${target.name}"`))
    const described = await server.client.ask('describeTarget', { target: target.name })
    assert.equal(described.result?.ownNetwork, false)
    assert.match(JSON.stringify(described.result?.listeners), /"port":8080/)
    const missing = await server.client.ask('describeTarget', { target: 'process/999999999' })
    assert.equal(missing.error?.data.kind, 'target-not-found')
  })

  it('fail clearly when there is no such target', async () => {
    const { error } = await server.client.ask('startSession', { target: 'process/999999999' })
    assert.equal(error?.data.kind, 'target-not-found')
    await status('failed')
    assert.equal(
      (await server.client.ask('startSession', { target: '--help' })).error?.data.kind,
      'target-invalid',
    )
    // What names no place on this machine is looked for in a cluster.
    const inCluster = { target: 'shop', config: { kubeconfig: '/nowhere/kubeconfig' } }
    assert.equal((await server.client.ask('startSession', inCluster)).error?.data.kind, 'kubeconfig-invalid')
    assert.equal(
      (await server.client.ask('stopSession', { sessionId: 's9' })).error?.data.kind,
      'session-not-found',
    )
  })

  it('read a configuration file with comments, and keys of the request win', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-test-'))
    const configFile = join(folder, 'standin.json')
    writeFileSync(
      configFile,
      '{ // what it gets\n "feature": { "env": { "exclude": "AWS_*", "override": { "A": "file" } } } }',
    )
    const config = { feature: { env: { override: { A: 'request' } } } }
    const { result } = await start({ configFile, config })
    const { set } = result!.environment as { set: Record<string, string> }
    assert.deepEqual([set.A, set.AWS_KEY, set.SHOP_REGION], ['request', undefined, 'eu'])
    writeFileSync(configFile, '{ "feature": { "environment": {} } }')
    const { error } = await start({ configFile })
    assert.match(error?.message ?? '', /feature.environment: unknown field; the fields are env, network/)
    assert.equal((await start({ configFile: join(folder, 'none') })).error?.data.kind, 'config-unreadable')
    rmSync(folder, { recursive: true })
  })

  it('stop when the process of the target ends, and say so', async () => {
    await start()
    await target.end()
    assert.equal((await status('stopped')).params?.reason, "the target's process ended")
    await server.client.until('the message', ({ method }) => method === 'window/showMessage')
    await untilNothing('agents', agents)
  })

  it('get another agent when theirs is killed', async () => {
    const { result } = await start()
    await status('running')
    const [agent] = agents()
    process.kill(agent!.pid, 'SIGKILL')
    // The link may be missed before the agent is.
    const { params } = await status('reconnecting')
    assert.match(String(params?.reason), /the agent ended|closed the connection|the connection broke/)
    await status('running')
    assert.notEqual(agents()[0]?.pid, agent!.pid)
    const launched = await server.client.ask('launch', { sessionId: result?.sessionId, command: ['true'] })
    assert.equal(launched.error, undefined)
  })

  it('end with a client that vanishes while one starts', async () => {
    server.client.send({ id: 'start', method: 'startSession', params: { target: target.name } })
    await status('starting')
    server.child.stdin?.end()
    assert.equal(await server.ended, 1)
    assert.deepEqual(ours(), [])
  })

  it('show live traffic under credit', async () => {
    const { result } = await start()
    const { sessionId } = result ?? {}
    const unknown = await server.client.ask('streamTraffic', { sessionId: 's9', credit: 1 })
    assert.equal(unknown.error?.data.kind, 'session-not-found')
    const view = await server.client.ask('streamTraffic', { sessionId, credit: 0 })
    const trafficId = view.result?.trafficId
    const seen = server.client.until('traffic', ({ method }) => method === 'traffic/events')
    await server.client.ask('creditTraffic', { trafficId, credit: 100 })
    // The capture begins after the answer; callers come until one is seen.
    const caller = setInterval(() => void fetch('http://127.0.0.1:8080/cart').catch(() => {}), 200)
    try {
      assert.match(JSON.stringify((await seen).params), /"event":"opened"/)
    } finally {
      clearInterval(caller)
    }
    assert.equal(typeof (await server.client.ask('stopTraffic', { trafficId })).result?.dropped, 'number')
    assert.equal(
      (await server.client.ask('stopTraffic', { trafficId })).error?.data.kind,
      'traffic-not-found',
    )
  })
})

// Commands of a session on a cluster: how they end, what they are told and tell, and the live view, through the CLI and raw JSON-RPC.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { several } from '../../stage/callers.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { published } from '../../stage/published.ts'
import { type Answer, type RawServer, startRawServer } from '../../stage/raw-server.ts'
import { clusterEnvironment, configIn, StandinRuns } from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const mark = markRun()
const environment = clusterEnvironment(mark.environment)
const runs = new StandinRuns(environment)
const env = [
  { name: 'SHOP_REGION', value: 'pod' },
  { name: 'SHOP_TIER', value: 'gold' },
  { name: 'OTHER', value: 'other' },
]
const showEnv = ['sh', '-c', 'echo "$SHOP_REGION,$SHOP_TIER,$OTHER,$MINE"']

describe('a command of a session on a cluster', () => {
  let shop: Shop
  let folder: string
  before(async () => {
    shop = await startShop('commands', { container: { env } })
    folder = mkdtempSync(join(tmpdir(), 'standin-commands-'))
    writeFileSync(join(folder, 'no-program'), '')
    chmodSync(join(folder, 'no-program'), 0o644)
  })
  after(async () => {
    if (folder !== undefined) rmSync(folder, { recursive: true })
    await untilNoAgents(shop.namespace)
    await shop?.end()
  })
  describe('through standin exec', () => {
    afterEach(async () => {
      await runs.end()
      await untilNothing('processes of standin', () => processesOf(mark.value))
    })

    it('gives it its exit code, 128 and more for a signal, 126 and 127 as a shell does', async () => {
      // biome-ignore format: a table is read row by row
      const cases: readonly [code: number, command: string[]][] = [
        [7, ['sh', '-c', 'exit 7']],
        [143, ['sh', '-c', 'kill -TERM $$']],
        [137, ['sh', '-c', 'kill -KILL $$']],
        [126, [join(folder, 'no-program')]],
        [127, ['no-such-program']],
      ]
      await several(cases.length, 3, async index => {
        const [code, command] = cases[index]!
        const run = runs.exec(shop, command)
        assert.equal(await run.code, code, `${command.join(' ')}: ${run.stderr.all.join('\n')}`)
      })
    })

    it('passes a signal on to it, and it ends as it wants', async () => {
      const run = runs.exec(shop, [
        'sh',
        '-c',
        'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done',
      ])
      await run.stdout.until('the command', line => line === 'ready', 60_000)
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 3, run.stderr.all.join('\n'))
      assert.deepEqual(run.stdout.all, ['ready', 'bye'])
    })

    it('tells with --output json every step, that it is ready, and how it ended, in the published shape', async () => {
      const run = runs.exec(shop, ['sh', '-c', 'echo out; kill -TERM $$'], { args: ['--output', 'json'] })
      assert.equal(await run.code, 143)
      assert.deepEqual(run.stdout.all, ['out'])
      const lines = run.stderr.all.map(line => published('ExecLine', line))
      const steps = lines.flatMap(line => (line.event === 'step' ? [String(line.step)] : []))
      const named = [...new Set(steps)].filter(step => step !== 'schedule' && step !== 'pull')
      assert.deepEqual(named.slice(0, 5), ['resolve', 'job', 'start', 'deliver', 'link'])
      const [pod] = await shop.pods()
      const ready = lines.find(line => line.event === 'ready')
      assert.deepEqual([ready?.hostname, ready?.addresses, ready?.ports], [pod!.name, [pod!.address], [8080]])
      assert.deepEqual(lines.at(-1), { event: 'exit', exitCode: 143, signal: 'SIGTERM' })
    })

    it("chooses of the pod's environment what is included or not excluded, and sets what it is told", async () => {
      const cases: readonly [args: string[], shown: string][] = [
        [[], 'pod,gold,other,'],
        [['--env-include', 'SHOP_*'], 'pod,gold,,'],
        [['--env-exclude', 'SHOP_T*;OTHER', '--env', 'MINE=yes'], 'pod,,,yes'],
      ]
      await several(cases.length, 3, async index => {
        const [args, shown] = cases[index]!
        const run = runs.exec(shop, showEnv, { args, environment: { OTHER: '' } })
        assert.equal(await run.code, 0, run.stderr.all.join('\n'))
        assert.deepEqual(run.stdout.all, [shown])
      })
    })
  })

  describe('through raw JSON-RPC', () => {
    let server: RawServer
    let sessionId: string
    before(async () => {
      server = startRawServer(['--stdio'], environment)
      await server.client.ask('initialize', {})
      const { result, error } = await server.client.ask('startSession', {
        target: shop.target,
        config: {
          ...configIn(shop.namespace),
          feature: { env: { exclude: 'OTHER', override: { MINE: 'yes' } } },
        },
      })
      assert.equal(error, undefined, JSON.stringify(error))
      sessionId = String(result?.sessionId)
    })
    after(async () => {
      await server.client.ask('stopSession', { sessionId })
      server.child.stdin?.end()
      await server.ended
      await untilNothing('processes of standin', () => processesOf(mark.value))
    })
    const ask = async (method: string, params: object) => {
      const { result, error } = await server.client.ask(method, params)
      assert.equal(error, undefined, JSON.stringify(error))
      return result ?? {}
    }
    const exitOf = async (processId: unknown) => {
      const isExit = ({ method, params }: Answer) =>
        method === 'process/exit' && params?.processId === processId
      const { params } = await server.client.until('the exit', isExit)
      const { processId: _, ...end } = params ?? {}
      return end
    }
    const outputOf = (processId: unknown) =>
      server.client.received
        .filter(({ method, params }) => method === 'process/output' && params?.processId === processId)
        .map(({ params }) => params?.data)
        .join('')

    it('reads what is written to it, and tells what it printed before how it ended', async () => {
      const command = ['sh', '-c', 'read name; echo "$name of $SHOP_REGION,$OTHER,$MINE"; exit 9']
      const { processId } = await ask('launch', { sessionId, command, stdin: 'pipe' })
      await ask('writeProcess', { processId, data: 'ada\n', end: true })
      assert.deepEqual(await exitOf(processId), { code: 9 })
      assert.equal(outputOf(processId), 'ada of pod,,yes\n')
    })

    it('is run by the client itself, with the argv and environment that are prepared', async () => {
      const prepared = await ask('prepareLaunch', { sessionId, command: [...showEnv] })
      const [program, ...args] = prepared.argv as string[]
      const child = spawn(program!, args, {
        env: { ...mark.environment, ...(prepared.environment as object) },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      child.stdout.on('data', data => {
        text += data
      })
      await once(child, 'close')
      assert.equal(text, 'pod,gold,,yes\n')
      assert.deepEqual(await exitOf(prepared.processId), { code: 0 })
    })

    it('goes with a live view that sends no event beyond its credit, and counts what it left out', async () => {
      const { trafficId } = await ask('streamTraffic', { sessionId, credit: 3 })
      const events = () =>
        server.client.received
          .filter(({ method, params }) => method === 'traffic/events' && params?.trafficId === trafficId)
          .flatMap(({ params }) => params?.events as { event: string; path?: string; status?: number }[])
      // The capture of answers begins after the answer to the request for it; callers come until three events were sent.
      while (events().length < 3) assert.equal((await shop.call(2, 1)).failed, 0)
      assert.equal((await shop.call(20, 2)).failed, 0)
      await ask('listSessions', {})
      assert.equal(events().length, 3, 'no more than was granted')
      await ask('creditTraffic', { trafficId, credit: 1_000 })
      await server.client.until(
        'the rest',
        () => events().filter(({ event }) => event === 'response').length >= 20,
      )
      const requests = events().filter(({ event }) => event === 'request')
      assert.ok(requests.every(({ path }) => /^\/\d+$/.test(path ?? '')))
      const { dropped } = await ask('stopTraffic', { trafficId })
      assert.equal(dropped, 0)
    })
  })
}).timeout(120_000)

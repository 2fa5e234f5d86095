// However a session ends, the cluster goes back to what it was, and no caller of the pod notices anything.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from '../../../protocol/programs.ts'
import { openTerminal } from '../../journeys/cli-terminal.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { programOf } from '../../stage/pod.ts'
import { startRawServer } from '../../stage/raw-server.ts'
import { type CuttingProxy, startCuttingProxy } from '../stage/cutting-proxy.ts'
import { kubectl, waitForObject } from '../stage/kubectl.ts'
import { processesOfPod } from '../stage/session-pod-processes.ts'
import {
  agentImage,
  clusterEnvironment,
  configIn,
  isRequest,
  type StandinRun,
  StandinRuns,
  serveShop,
  untilCapturedBy,
} from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { type AgentPod, agentPods, type Stand, startStand, untilNoAgents } from '../stage/session-stand.ts'

/** What deleting a Job and its pod takes: the API server's and the kubelet's work. */
const deletedMs = 20_000
/** An agent that no server comes back to ends after the grace time of 60 s and the 10 s of a last try, and the cluster removes its Job. */
const graceMs = 70_000 + deletedMs + 10_000

describe('a session leaves the cluster as it was, and its callers served,', () => {
  const mark = markRun()
  const environment = clusterEnvironment(mark.environment)
  const runs = new StandinRuns(environment)
  const proxies: CuttingProxy[] = []
  let shop: Shop
  let stand: Stand
  before(async () => {
    shop = await startShop('standing')
    stand = await startStand(shop)
  })
  after(async () => {
    await stand?.end()
    await shop?.end()
  })
  afterEach(async () => {
    await runs.end()
    for (const proxy of proxies.splice(0)) await proxy.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const server = () => processesOf(mark.value).find(({ program }) => program === 'server')!

  /** Requests of the callers reach the program. */
  async function untilServed(run: StandinRun, withinMs = 60_000): Promise<void> {
    const before = run.stdout.all.filter(isRequest).length
    await run.stdout.untilCount('requests at the program', before + 10, isRequest, withinMs)
  }

  async function attached(options: Parameters<StandinRuns['exec']>[2] = {}): Promise<StandinRun> {
    const { args = [], ...rest } = options
    const run = runs.exec(shop, serveShop, { args: ['-v', ...args], ...rest })
    await untilCapturedBy(run)
    await untilServed(run)
    return run
  }

  async function through(proxy: CuttingProxy): Promise<StandinRun> {
    proxies.push(proxy)
    return attached({ environment: { KUBECONFIG: proxy.kubeconfig } })
  }

  async function onlyAgent(): Promise<AgentPod> {
    const agents = await agentPods(shop.namespace)
    assert.equal(agents.length, 1, JSON.stringify(agents))
    return agents[0]!
  }

  it('when it is stopped', async () => {
    const { child, client, ended } = startRawServer(['--stdio'], environment)
    await client.ask('initialize', {})
    const config = configIn(shop.namespace)
    const { result, error } = await client.ask('startSession', { target: shop.target, config })
    assert.equal(error, undefined, JSON.stringify(error))
    await client.ask('stopSession', { sessionId: result?.sessionId })
    await stand.assertNothingLeft(deletedMs)
    child.stdin?.end()
    await ended
  })

  it('when its command has ended', async () => {
    const run = runs.exec(shop, ['true'])
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    await stand.assertNothingLeft(deletedMs)
  })

  it('when Ctrl-C ends its command', async () => {
    const words = ['exec', '-t', shop.target, '-n', shop.namespace, '--', ...serveShop].join(' ')
    const terminal = openTerminal(`${process.execPath} ${programPath('standin')} ${words}`, environment)
    try {
      const at = await terminal.until('a request', /\/loop/, 0, 60_000)
      terminal.type('\x03')
      assert.equal(await terminal.ended, 130, terminal.screen().slice(at))
    } finally {
      await terminal.end()
    }
    await stand.assertNothingLeft(deletedMs)
  })

  for (const step of ['job', 'schedule', 'pull', 'deliver', 'link'])
    it(`when Ctrl-C comes while it starts, soon after the step "${step}"`, async () => {
      // Nothing is pulled of an image that the node has.
      const image = step === 'pull' ? ['-i', 'localhost/none:1'] : []
      const run = runs.exec(shop, serveShop, { args: ['--output', 'json', ...image] })
      await run.stderr.until(`the step ${step}`, line => line.includes(`"step":"${step}"`), 60_000)
      run.child.kill('SIGINT')
      // From a terminal the command would have got it too; one that runs already gets what follows.
      const ready = run.stderr.until('the command', line => line.includes('"event":"ready"'), 60_000)
      void ready.then(
        () => run.child.kill('SIGTERM'),
        () => {},
      )
      const code = await run.code
      assert.ok(code === 130 || (code === 0 && run.stdout.all.length > 0), run.stderr.all.join('\n'))
      await stand.assertNothingLeft(deletedMs)
    })

  it('when its client is killed', async () => {
    const run = await attached()
    run.child.kill('SIGKILL')
    await stand.assertNothingLeft(deletedMs)
  })

  it('when its editor is killed', async () => {
    const editor = spawn(
      process.execPath,
      ['-e', editorProgram, programPath('standin'), shop.namespace, agentImage],
      {
        env: environment,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    try {
      await linesOf(editor.stdout).until('the session', line => line.includes('"state":"running"'), 60_000)
    } finally {
      editor.kill('SIGKILL')
      if (editor.exitCode === null && editor.signalCode === null) await once(editor, 'exit')
    }
    await stand.assertNothingLeft(deletedMs)
  })

  it('when its server is killed', async () => {
    const run = await attached()
    process.kill(server().pid, 'SIGKILL')
    assert.equal(await run.code, 125, run.stderr.all.join('\n'))
    await stand.assertNothingLeft(graceMs)
  }).timeout(graceMs + 60_000)

  it('when its agent is killed: another one takes its place', async () => {
    const run = await attached()
    const first = await onlyAgent()
    const [pid] = processesOfPod(first.uid, /\bnode\b/)
    process.kill(pid!, 'SIGKILL')
    await run.stderr.untilCount(
      'captures',
      2,
      line => line.endsWith('Port 8080 of the pod is captured'),
      60_000,
    )
    await untilServed(run)
    run.child.kill('SIGTERM')
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    await stand.assertNothingLeft(deletedMs)
  })

  it('when its link is cut for good without a word, and when two sessions were on one pod', async () => {
    const proxy = await startCuttingProxy()
    const cut = await through(proxy)
    const other = await attached()
    assert.equal((await agentPods(shop.namespace)).length, 2)
    proxy.silence()
    cut.child.kill('SIGKILL')
    await waitForObject(
      'the agent without a link to be gone',
      ['-n', shop.namespace, 'jobs', '-l', 'app.kubernetes.io/managed-by=standin'],
      list => list.items.length === 1,
      graceMs,
    )
    await untilServed(other)
    other.child.kill('SIGTERM')
    assert.equal(await other.code, 0)
    await stand.assertNothingLeft(deletedMs)
  }).timeout(graceMs + 120_000)

  it('when two sessions were on one node, each in a pod of its own', async () => {
    const [pod] = await shop.pods()
    const neighbour = await startShop('neighbour', { node: pod!.node })
    try {
      const here = await attached()
      const command = [process.execPath, programOf('hash-server.mjs'), '9090']
      const there = runs.exec(neighbour, command, { args: ['-v', '--port-mapping', '9090:8080'] })
      await untilCapturedBy(there)
      const [first, second] = [await onlyAgent(), (await agentPods(neighbour.namespace))[0]]
      assert.equal(first.node, second?.node)
      assert.equal((await neighbour.call(20, 2)).answered, 20)
      await there.stdout.untilCount('requests at the neighbour', 20, isRequest)
      there.child.kill('SIGTERM')
      await there.code
      await untilNoAgents(neighbour.namespace)
      await untilServed(here)
      here.child.kill('SIGTERM')
      assert.equal(await here.code, 0, here.stderr.all.join('\n'))
    } finally {
      await neighbour.end()
    }
    await stand.assertNothingLeft(deletedMs)
  })

  it('when its image never arrives and its server is killed: the lease ends it', async () => {
    const run = runs.exec(shop, ['true'], { args: ['-i', 'localhost/none:1'] })
    await run.stderr.until('the pull', line => /pull/i.test(line), 60_000)
    process.kill(server().pid, 'SIGKILL')
    assert.equal(await run.code, 125)
    const agent = await onlyAgent()
    const job = await waitForObject(
      'the Job',
      ['-n', shop.namespace, 'job', agent.job],
      found => found !== undefined,
    )
    const { activeDeadlineSeconds, backoffLimit, ttlSecondsAfterFinished } = job.spec
    assert.deepEqual([activeDeadlineSeconds, backoffLimit, ttlSecondsAfterFinished], [600, 0, 0])
    const sooner = JSON.stringify({ spec: { activeDeadlineSeconds: 5 } })
    await kubectl(['-n', shop.namespace, 'patch', 'job', agent.job, '-p', sooner])
    await stand.assertNothingLeft(40_000)
  }).timeout(120_000)

  for (const [off, name] of [
    ['-1d', 'a day late'],
    ['+1d', 'a day early'],
  ])
    it(`when the clock of the laptop is ${name}`, async () => {
      const run = await attached({
        environment: {
          LD_PRELOAD: '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
          FAKETIME: off,
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        },
      })
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
      await stand.assertNothingLeft(deletedMs)
    })
})

/** Starts a server and a session, prints the answer, and goes on for ever, as an editor does. */
const editorProgram = `
const { spawn } = require('node:child_process')
const [program, namespace, image] = process.argv.slice(1)
const server = spawn(process.execPath, [program, 'serve', '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] })
// A line each, so that the last message is not held back for want of a newline.
server.stdout.on('data', bytes => process.stdout.write(bytes + '\\n'))
server.stdout.once('data', () => send(2, 'startSession', { target: 'deployment/shop', config: { target: { namespace }, agent: { image } } }))
const send = (id, method, params) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
  server.stdin.write('Content-Length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n' + body)
}
send(1, 'initialize', {})`

// The terminal client with real processes and a scripted server beside it: what it does whoever ends first.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { execLine, listOutput, trafficLine } from '../../protocol/cli-output.ts'
import { decode } from '../../protocol/codec.ts'
import { cleanCluster, listContexts, listNamespaces } from '../../protocol/rpc/kubernetes.ts'
import { describeTarget } from '../../protocol/rpc/targets.ts'
import { buildFakeStandin, type FakeStandin, type Run } from '../clients/cli/fake-standin.ts'
import { linesOf } from '../stage/lines.ts'
import { published } from '../stage/published.ts'
import { openTerminal, type Terminal } from './cli-terminal.ts'

const target = ['-t', 'process/1']
const startFailure = {
  code: 1102,
  message: 'Cannot find target "process/1": no such process',
  data: {
    kind: 'target-not-found',
    blame: 'user',
    retryable: false,
    fix: 'Pick one that "standin ls" lists',
  },
}

describe('the terminal client beside a scripted server', () => {
  let standin: FakeStandin
  before(async () => {
    standin = await buildFakeStandin()
  })
  after(() => standin.remove())
  beforeEach(() => standin.clearLog())

  const terminals: Terminal[] = []
  afterEach(async () => {
    for (const terminal of terminals.splice(0)) await terminal.end()
  })
  const open: typeof openTerminal = (...args) => {
    const terminal = openTerminal(...args)
    terminals.push(terminal)
    return terminal
  }

  const run = (args: string[], script = {}, options = {}) => standin.run(args, script, options).ended
  const exec = (command: string[], script = {}, options = {}) =>
    run(['exec', ...target, '--', ...command], script, options)

  it('a command gets our standard input, gives its own output, and its exit code is ours', async () => {
    const ended = await exec(
      ['sh', '-c', 'cat; echo "$FROM_SERVER"; echo bad >&2; exit 7'],
      {},
      { input: 'in ' },
    )
    assert.equal(ended.code, 7)
    assert.equal(ended.stdout, 'in yes\n')
    assert.match(ended.stderr, /^bad$/m)
    assert.deepEqual(methods().slice(-3), ['stopSession', 'shutdown', 'exit'])
  })

  it('a signal that ends the command gives 128 + its number', async () => {
    assert.equal((await exec(['sh', '-c', 'kill -SEGV $$'])).code, 139)
  })

  it('a command that cannot be started gives 126 or 127 and its fix', async () => {
    const missing = await exec(['no-such-program'])
    assert.equal(missing.code, 127)
    assert.match(
      missing.stderr,
      /^standin: Cannot run command "no-such-program".*\nstandin: fix: Check the spelling/m,
    )
    assert.equal((await exec(['/etc/passwd'])).code, 126)
  })

  it('a session that cannot start gives 125, the error and its fix, and the command never runs', async () => {
    const ended = await exec(['echo', 'hello'], { startFailure, hangPrepare: true })
    assert.equal(ended.code, 125)
    assert.match(ended.stderr, /^standin: Cannot find target.*\nstandin: fix: Pick one/m)
  })

  it('with --output json every line is an object of the published shape, on the descriptor that was named', async () => {
    const ended = await run(['exec', ...target, '--output', 'json', '--', 'true'])
    const lines = ended.stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    for (const line of lines) assert.ok(decode(execLine, line).ok, JSON.stringify(line))
    const events = lines.map(({ event }) => event)
    assert.deepEqual(events, ['session', 'step', 'session', 'ready', 'exit'])
    const shell = `node ${standin.program} exec -t process/1 --output json --output-fd 3 -- true 3>&1 2>/dev/null`
    const other = open(shell, standin.environment({}))
    await other.ended
    assert.match(other.screen(), /"event":"exit","exitCode":0/)
  })

  it('an error is an object too, also one of the command line', async () => {
    for (const [args, kind] of [
      [['exec', ...target, '--output', 'json', '--', 'true'], 'target-not-found'],
      [['exec', '--output', 'json', '--ports', 'x', '--', 'true'], 'usage-wrong'],
      [['exec', ...target, '--output', 'json', '--output-fd', '77', '--', 'true'], 'usage-wrong'],
    ] as const) {
      const ended = await run([...args], { startFailure, hangPrepare: true })
      assert.equal(ended.code, 125)
      const last = JSON.parse(ended.stderr.trim().split('\n').pop()!)
      assert.ok(decode(execLine, last).ok)
      assert.equal(last.error.kind, kind)
    }
  })

  it('a mistake on the command line is told with the help page to read, and no command at all by that page', async () => {
    for (const [args, told] of [
      [['lss'], 'unknown command "lss" (Did you mean ls?)\nstandin: fix: See "standin help"'],
      [['ls', '--nam'], 'unknown option "--nam" (Did you mean --name?)\nstandin: fix: See "standin help ls"'],
    ] as const) {
      const ended = await run([...args])
      assert.notEqual(ended.code, 0)
      assert.equal(ended.stderr, `standin: Cannot run this command line: ${told}\n`)
    }
    const bare = await run([])
    assert.equal(bare.code, 1)
    assert.match(bare.stdout + bare.stderr, /^Usage: standin[\s\S]*standin help exec\n\s*$/)
  })

  it('-q leaves the command alone with its output', async () => {
    const ended = await run(['exec', ...target, '-q', '--', 'echo', 'hi'], { warnings: ['careful'] })
    assert.deepEqual({ ...ended, signal: null }, { code: 0, signal: null, stdout: 'hi\n', stderr: '' })
  })

  it('STANDIN_TARGET names the target', async () => {
    await run(['exec', '--', 'true'], {}, { environment: { STANDIN_TARGET: 'container/shop' } })
    assert.ok(standin.log().some(line => line.startsWith('startSession') && line.includes('container/shop')))
  })

  it('a server that dies while we attach gives 125 and one error', async () => {
    for (const dieOn of ['initialize', 'startSession', 'prepareLaunch']) {
      const ended = await exec(['sleep', '30'], { dieOn })
      assert.equal(ended.code, 125)
      assert.match(ended.stderr, /the server of standin ended/)
    }
  })

  it('a server that is killed under a running command gives 125, and the command ends', async () => {
    const one = standin.run(['exec', ...target, '--', 'sleep', '30'])
    const { server, command } = await started(one)
    process.kill(server, 'SIGKILL')
    const ended = await one.ended
    assert.equal(ended.code, 125)
    assert.match(ended.stderr, /the server of standin ended/)
    assert.ok(isGone(command))
  })

  it('a server that answers nothing more does not keep us', async () => {
    const begin = Date.now()
    assert.equal((await exec(['true'], { silentFrom: 'stopSession' })).code, 0)
    assert.equal((await exec(['true'], { silentFrom: 'shutdown' })).code, 0)
    assert.ok(Date.now() - begin < 16_000)
  }).timeout(30_000)

  it('a server that has much to end is waited for and explained, until a second Ctrl-C leaves it to do so', async () => {
    const script = { hangStart: true, unanswered: 'stopSession', leaveMs: 500 }
    const terminal = open(
      `node ${standin.program} exec -t process/1 -- sleep 30`,
      standin.environment(script),
    )
    await terminal.until('the step', /starting the agent/)
    terminal.type('\x03')
    await terminal.until('why it takes long', /ending the session; Ctrl-C leaves/)
    terminal.type('\x03')
    assert.equal(await terminal.ended, 130)
    await logged(/^ended by itself$/)
    assert.ok(methods().includes('listSessions'), 'whether it lives was asked')
  })

  it('SIGTERM to us is passed on to the command, whose end is ours', async () => {
    const one = standin.run([
      'exec',
      ...target,
      '--',
      'sh',
      '-c',
      'trap "exit 9" TERM; while :; do sleep 0.05; done',
    ])
    await started(one)
    one.child.kill('SIGTERM')
    assert.equal((await one.ended).code, 9)
  })

  it('a second SIGTERM ends everything', async () => {
    const one = standin.run([
      'exec',
      ...target,
      '--',
      'sh',
      '-c',
      'trap "" TERM; echo deaf; while :; do sleep 0.05; done',
    ])
    const lines = linesOf(one.child.stdout)
    const { command } = await started(one)
    await lines.until('the command', line => line === 'deaf')
    one.child.kill('SIGTERM')
    await logged(/^signalProcess .*SIGTERM/)
    one.child.kill('SIGTERM')
    assert.equal((await one.ended).code, 143)
    assert.ok(isGone(command))
  })

  it('Ctrl-C while we attach cancels, and the terminal gets its prompt back', async () => {
    const terminal = open(
      `node ${standin.program} exec -t process/1 -- sleep 30`,
      standin.environment({ hangStart: true }),
    )
    await terminal.until('the step', /starting the agent/)
    terminal.type('\x03')
    assert.equal(await terminal.ended, 130)
    assert.ok(methods().includes('$/cancelRequest'))
  })

  it('Ctrl-C under a running command is the command’s, and its exit code is ours', async () => {
    const command = `sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.05; done'`
    const terminal = open(`node ${standin.program} exec -t process/1 -- ${command}`, standin.environment({}))
    await terminal.until('the command', /ready/)
    terminal.type('\x03')
    assert.equal(await terminal.ended, 3)
    assert.match(terminal.screen(), /caught/)
  })

  it('a terminal without a size gets plain lines', async () => {
    const command = `node ${standin.program} exec -t process/1 -- true`
    const terminal = open(command, standin.environment({}), { columns: 0 })
    assert.equal(await terminal.ended, 0)
    assert.match(terminal.screen(), /standin: starting the agent/)
  })

  it('without -t the server is left to find the target in the configuration of this folder', async () => {
    await run(['exec', '-n', 'shop', '--ephemeral-container', '--', 'true'])
    assert.deepEqual(asked('startSession'), {
      target: '',
      folder: process.cwd(),
      config: { target: { namespace: 'shop' }, agent: { ephemeral: true } },
      workDoneToken: 'start',
    })
  })

  it('STANDIN_ variables stand for options, which win over them', async () => {
    const environment = {
      STANDIN_NAMESPACE: 'from-env',
      STANDIN_CONTEXT: 'staging',
      STANDIN_AGENT_IMAGE: 'node:20',
    }
    await run(['exec', ...target, '-n', 'from-line', '--', 'true'], {}, { environment })
    assert.deepEqual(asked('startSession').config, {
      target: { namespace: 'from-line' },
      kube_context: 'staging',
      agent: { image: 'node:20' },
    })
  })

  const steps = [
    { step: 'job', message: 'creating the Job', elapsedMs: 10 },
    { step: 'pull', message: 'pulling image node:22', elapsedMs: 20 },
    { step: 'pull', message: 'pulling image node:22: the registry is slow', elapsedMs: 12_000 },
    { step: 'something-later', message: 'a step nobody knew', elapsedMs: 13_000 },
  ]

  it('a step that waits is told again with its reason and its time, by exec and by traffic', async () => {
    const told = [
      'standin: creating the Job (10 ms)',
      'standin: pulling image node:22 (20 ms)',
      'standin: pulling image node:22: the registry is slow (12.0 s)',
      'standin: a step nobody knew (13.0 s)',
    ]
    const ended = await exec(['true'], { steps })
    assert.deepEqual(ended.stderr.split('\n').slice(0, 4), told)
    const one = standin.run(['traffic', ...target], { steps })
    await logged(/^streamTraffic/)
    one.child.kill('SIGINT')
    assert.deepEqual((await one.ended).stderr.split('\n').slice(0, 4), told)
  })

  it('the spinner says what a step waits for', async () => {
    const terminal = open(
      `node ${standin.program} exec -t process/1 -- sleep 30`,
      standin.environment({ hangStart: true, steps: steps.slice(0, 3) }),
    )
    await terminal.until('the reason', /pulling image node:22: the registry is slow/)
    terminal.type('\x03')
    assert.equal(await terminal.ended, 130)
  })

  it('-v adds what helps to find the cause of an error', async () => {
    const detailed = { ...startFailure, data: { ...startFailure.data, detail: 'the answer was 404' } }
    const script = { startFailure: detailed, hangPrepare: true }
    assert.doesNotMatch((await exec(['true'], script)).stderr, /404/)
    assert.match(
      (await run(['exec', ...target, '-v', '--', 'true'], script)).stderr,
      /detail: the answer was 404/,
    )
  })

  const pod = (name: string) => ({
    target: `pod/${name}`,
    kind: 'pod',
    name,
    namespace: 'shop',
    ready: true,
    ports: [80],
    containers: ['web'],
  })

  it('ls on a terminal shows what was found in parts, sorted, also when Ctrl-C ends the search', async () => {
    const parts = [{ targets: [pod('b')] }, { targets: [pod('a')] }]
    const whole = open(`node ${standin.program} ls -n shop`, standin.environment({ parts }))
    assert.equal(await whole.ended, 0)
    assert.match(whole.screen(), /TARGET +READY +PORTS[\s\S]*pod\/a +yes +80 +web\s+pod\/b/)
    assert.deepEqual(asked('listTargets'), {
      namespace: 'shop',
      place: 'cluster',
      folder: process.cwd(),
      partialResultToken: 'targets',
    })
    standin.clearLog()
    const latePart = { targets: [pod('c')] }
    const cut = open(`node ${standin.program} ls -A`, standin.environment({ parts, latePart }))
    await cut.until('the number of targets', /3 targets so far/)
    cut.type('\x03')
    assert.equal(await cut.ended, 130)
    assert.match(
      cut.screen(),
      /NAMESPACE[\s\S]*pod\/a[\s\S]*pod\/c[\s\S]*these 3 had been found when you stopped it/,
    )
    assert.ok(methods().includes('$/cancelRequest'))
  })

  it('describe, contexts, namespaces and clean print for people, and one published object for scripts', async () => {
    const answers = Object.fromEntries(
      [describeTarget, listContexts, listNamespaces, cleanCluster].map(({ method, example }) => [
        method,
        example.result,
      ]),
    )
    for (const [args, text, name, request] of [
      [['describe', 'process/4711'], /^process\/4711\n/, 'DescribeOutput', 'describeTarget'],
      [
        ['contexts', '--kubeconfig', '/k'],
        /^CURRENT +NAME[\s\S]*\* +staging/,
        'ContextsOutput',
        'listContexts',
      ],
      [
        ['namespaces', '--context', 'c'],
        /^CURRENT +NAME +PHASE\n\* +shop +Active/,
        'NamespacesOutput',
        'listNamespaces',
      ],
      [
        ['clean', '-A', '--dry-run'],
        /^ACTION[\s\S]*removed +shop +job\/standin/,
        'CleanOutput',
        'cleanCluster',
      ],
    ] as const) {
      const shown = await run([...args], { answers })
      assert.equal(shown.code, 0, shown.stderr)
      assert.match(shown.stdout, text)
      const json = await run([...args, '--output', 'json'], { answers })
      published(name, json.stdout)
      assert.ok(methods().includes(request))
    }
    assert.deepEqual(asked('cleanCluster'), { folder: process.cwd(), allNamespaces: true, dryRun: true })
    assert.deepEqual(asked('listContexts'), { kubeconfig: '/k' })
    assert.equal((await run(['contexts', '--output', 'names'], { answers })).stdout, 'staging\n')
    assert.equal((await run(['namespaces', '--output', 'names'], { answers })).stdout, 'shop\n')
  }).timeout(30_000)

  it('clean ends with 1 when something could not be removed', async () => {
    const [leftover] = cleanCluster.example.result.leftovers
    const cleanResult = { leftovers: [{ ...leftover, action: 'failed', failure: 'a finalizer holds it' }] }
    const ended = await run(['clean'], { answers: { cleanCluster: cleanResult } })
    assert.equal(ended.code, 1)
    assert.match(ended.stdout, /not removed .*a finalizer holds it/)
    assert.equal(ended.stderr, 'standin: 1 not removed\n')
  })

  it('describe without a target says how to name one', async () => {
    const ended = await run(['describe'])
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /no target is named/)
  })

  it('ls prints a table, one object, or bare names', async () => {
    const targets = {
      targets: [{ target: 'process/1', kind: 'process', name: 'node', ready: true, ports: [80] }],
      warnings: ['one process could not be read'],
    }
    const table = await run(['ls'], { targets })
    assert.match(table.stdout, /^TARGET +NAME.*\nprocess\/1 +node +80 +yes\n$/)
    assert.equal(table.stderr, 'standin: one process could not be read\n')
    const json = await run(['ls', '--output', 'json', '--kind', 'process', '--name', 'no'], { targets })
    assert.ok(decode(listOutput, JSON.parse(json.stdout)).ok)
    assert.deepEqual(asked('listTargets', 1), { kinds: ['process'], name: 'no', folder: process.cwd() })
    assert.equal((await run(['ls', '--output', 'names'], { targets })).stdout, 'process/1\n')
  })

  it('without a target traffic and forward --reverse are refused before anything is attached', async () => {
    for (const args of [['traffic'], ['forward', '--reverse', '8080:3000']]) {
      standin.clearLog()
      const ended = await run([...args, '-t', 'targetless'])
      assert.equal(ended.code, 1)
      assert.match(
        ended.stderr,
        /^standin: Cannot take requests of "targetless": .*\nstandin: fix: Name a target/,
      )
      assert.deepEqual(standin.log(), [])
    }
  })

  it('traffic prints events as they come, grants credit, and Ctrl-C ends it with 0', async () => {
    const closed = { event: 'closed', at: 1, connection: 'c1', side: 'pod', received: 1, sent: 2 }
    const batch = { events: Array.from({ length: 1_000 }, () => closed), dropped: 3 }
    const one = standin.run(['traffic', ...target, '--output', 'json', '--bodies', '10'], {
      traffic: [batch],
    })
    await logged(/^creditTraffic .*"credit":1000/)
    one.child.kill('SIGINT')
    const ended = await one.ended
    assert.equal(ended.code, 0)
    const lines = ended.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.equal(lines.length, 1_001)
    assert.deepEqual(lines[0], { event: 'dropped', count: 3 })
    for (const line of lines.slice(0, 5)) assert.ok(decode(trafficLine, line).ok)
    assert.deepEqual(methods().slice(-4), ['stopTraffic', 'stopSession', 'shutdown', 'exit'])
  })

  function methods(): string[] {
    return standin
      .log()
      .map(line => line.split(' ')[0]!)
      .filter(word => !['server', 'command', 'ended'].includes(word))
  }

  /** Params of the request that came so many requests of the same method later than the first. */
  function asked(method: string, later = 0): Record<string, unknown> {
    const lines = standin.log().filter(line => line.startsWith(`${method} `))
    return JSON.parse(lines[later]!.slice(method.length + 1))
  }

  async function logged(matches: RegExp): Promise<string> {
    for (const deadline = Date.now() + 10_000; ; ) {
      const found = standin.log().find(line => matches.test(line))
      if (found !== undefined) return found
      if (Date.now() > deadline) throw new Error(`${matches} was not logged: ${standin.log().join('; ')}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  async function started(_: Run): Promise<{ server: number; command: number }> {
    const pid = async (what: string) => Number((await logged(new RegExp(`^${what} \\d+$`))).split(' ')[1])
    return { server: await pid('server'), command: await pid('command') }
  }
})

function isGone(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

// Commands that a session runs: their environment, output, input, signals, and their end in every way.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { filesOfStandin, markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { type RawServer, startRawServer } from '../stage/raw-server.ts'
import { type SmallTarget, startSmallTarget } from '../stage/small-target.ts'

const run = markRun()
const ours = () => processesOf(run.value).filter(({ program }) => program !== 'server')

describe('commands of a session', () => {
  let server: RawServer
  let target: SmallTarget
  let sessionId: string
  before(async () => {
    target = await startSmallTarget(8080, { SHOP_REGION: 'eu' })
  })
  after(() => target.end())
  beforeEach(async () => {
    server = startRawServer(['--stdio'], run.environment)
    await server.client.ask('initialize', {})
    const { result } = await server.client.ask('startSession', { target: target.name })
    sessionId = String(result?.sessionId)
  })
  afterEach(async () => {
    server.child.stdin?.end()
    await server.ended
    await untilNothing('processes of standin', ours)
    assert.deepEqual(filesOfStandin(), [])
  })

  const launch = (command: string[], more: object = {}) =>
    server.client.ask('launch', { sessionId, command, ...more })
  const exitOf = async (processId: unknown) => {
    const isExit = (answer: { method?: string; params?: Record<string, unknown> }) =>
      answer.method === 'process/exit' && answer.params?.processId === processId
    const { params } = await server.client.until('the exit', isExit)
    const { processId: _, ...exit } = params ?? {}
    return exit
  }
  /** What arrived of a stream so far, as text. */
  const outputOf = (processId: unknown, stream: string) =>
    server.client.received
      .filter(({ method, params }) => method === 'process/output' && params?.processId === processId)
      .filter(({ params }) => params?.stream === stream)
      .map(({ params }) =>
        Buffer.from(String(params?.data), params?.encoding as BufferEncoding).toString('latin1'),
      )
      .join('')

  it("run with the pod's environment, their own on top, in their folder, and report exit and output", async () => {
    const script = 'echo $SHOP_REGION $OWN $PWD; echo problem >&2; exit 7'
    const { result } = await launch(['sh', '-c', script], {
      cwd: '/usr',
      environment: { OWN: 'mine', HOME: null },
    })
    assert.deepEqual(await exitOf(result?.processId), { code: 7 })
    assert.equal(outputOf(result?.processId, 'stdout'), 'eu mine /usr\n')
    assert.equal(outputOf(result?.processId, 'stderr'), 'problem\n')
  })

  it('that end at once have all their output sent, every time', async () => {
    for (let time = 0; time < 20; time++) {
      const { result } = await launch(['echo', String(time)])
      assert.deepEqual(await exitOf(result?.processId), { code: 0 })
      assert.equal(outputOf(result?.processId, 'stdout'), `${time}\n`)
    }
  })

  it('have all their output sent before the exit, in order, and bytes that are not text as base64', async () => {
    const script =
      'for (let i = 0; i < 20000; i++) process.stdout.write(i + " é€😀\\n"); process.stderr.write(Buffer.from([255, 0, 1]))'
    const { result } = await launch([process.execPath, '-e', script])
    assert.deepEqual(await exitOf(result?.processId), { code: 0 })
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index} é€😀\n`).join('')
    assert.equal(Buffer.from(outputOf(result?.processId, 'stdout'), 'latin1').toString('utf8'), lines)
    assert.equal(outputOf(result?.processId, 'stderr'), '\u00ff\u0000\u0001')
    const sizes = server.client.received.map(({ params }) => String(params?.data ?? '').length)
    assert.ok(Math.max(...sizes) <= 64 << 10)
  })

  it('read what is written to them', async () => {
    const { result } = await launch(['cat'], { stdin: 'pipe' })
    const processId = result?.processId
    assert.equal((await server.client.ask('writeProcess', { processId, data: 'hello ' })).result, null)
    const more = { processId, data: Buffer.from('world').toString('base64'), encoding: 'base64', end: true }
    assert.equal((await server.client.ask('writeProcess', more)).result, null)
    assert.deepEqual(await exitOf(processId), { code: 0 })
    assert.equal(outputOf(processId, 'stdout'), 'hello world')
    const late = await server.client.ask('writeProcess', { processId, data: '!' })
    assert.equal(late.error?.data.kind, 'process-not-found')
  })

  it('are sent signals by name, and report the signal that ended them', async () => {
    const processId = (await launch(['sleep', '1000'])).result?.processId
    const unknown = await server.client.ask('signalProcess', { processId, signal: 'SIGNONE' })
    assert.equal(unknown.error?.data.kind, 'signal-unknown')
    const closed = await server.client.ask('writeProcess', { processId, data: 'x' })
    assert.equal(closed.error?.data.kind, 'stdin-closed')
    assert.equal((await server.client.ask('signalProcess', { processId, signal: 'SIGTERM' })).result, null)
    assert.deepEqual(await exitOf(processId), { signal: 'SIGTERM' })
  })

  it('that cannot be started are refused with the reason, and the next one can', async () => {
    const kind = async (command: string[], more?: object) => (await launch(command, more)).error?.data.kind
    assert.equal(await kind(['no-such-program']), 'command-not-found')
    assert.equal(await kind(['/etc/passwd']), 'command-not-executable')
    assert.equal(await kind(['true'], { cwd: '/no/such/folder' }), 'folder-not-found')
    assert.equal((await launch([])).error?.code, -32602)
    const { result } = await launch(['true'])
    assert.deepEqual(await exitOf(result?.processId), { code: 0 })
  })

  it('cost bounded memory when the client does not read, and lose nothing', async () => {
    const bytes = 64 << 20
    const { result } = await launch(['sh', '-c', `head -c ${bytes} /dev/zero | tr '\\0' x`])
    server.client.output.pause()
    const resident = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) >> 10
    const before = resident()
    // The server answers nobody while paused; its memory is looked at once the pipes must be full.
    await untilNothing('growth', () => (blocked(Number(result?.pid)) ? [] : ['not blocked yet']))
    assert.ok(resident() - before < 60, `${resident() - before} MiB more`)
    server.client.output.resume()
    assert.deepEqual(await exitOf(result?.processId), { code: 0 })
    assert.equal(outputOf(result?.processId, 'stdout').length, bytes)
  })

  it('end with the session: SIGTERM first', async () => {
    const script = 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
    const { result } = await launch(['sh', '-c', script])
    await server.client.until('ready', ({ params }) => params?.data === 'ready\n')
    await server.client.ask('stopSession', { sessionId })
    assert.deepEqual(await exitOf(result?.processId), { code: 3 })
    assert.equal(outputOf(result?.processId, 'stdout'), 'bye\n')
  })

  it('can be run by the client itself, also through shims, and are reported', async () => {
    const command = ['sh', '-c', 'echo $SHOP_REGION; exit 4']
    const { result } = await server.client.ask('prepareLaunch', { sessionId, command })
    const [program, ...args] = result!.argv as string[]
    const environment = { ...run.environment, ...(result?.environment as object) }
    const child = spawn(program!, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    assert.deepEqual(await exitOf(result?.processId), { code: 4 })
    assert.equal(text, 'eu\n')
    const folder = String(result?.shimFolder)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    const shimmed = spawnSync(
      'node',
      ['-p', 'process.env.SHOP_REGION + process.env.PATH.includes("standin-")'],
      {
        env: { ...run.environment, PATH: `${folder}:${process.env.PATH}` },
        encoding: 'utf8',
      },
    )
    assert.equal(shimmed.stdout, 'eufalse\n')
    await server.client.ask('stopSession', { sessionId })
    assert.equal(existsSync(folder), false)
  })

  it('wait for a session that is still starting', async () => {
    server.client.send({ id: 'start', method: 'startSession', params: { target: target.name } })
    const isStarting = (params: Record<string, unknown> | undefined) =>
      params?.state === 'starting' && params.sessionId !== sessionId
    const { params } = await server.client.until('starting', answer => isStarting(answer.params))
    const command = ['sh', '-c', 'exit 5']
    const prepared = await server.client.ask('prepareLaunch', {
      sessionId: params?.sessionId,
      command,
      shims: [],
    })
    const [program, ...args] = prepared.result!.argv as string[]
    const environment = { ...run.environment, ...(prepared.result?.environment as object) }
    spawn(program!, args, { env: environment, stdio: 'ignore' })
    assert.deepEqual(await exitOf(prepared.result?.processId), { code: 5 })
  })

  it('and what runs for them inherit neither standard input nor standard output of the server', async () => {
    await launch(['sleep', '1000'])
    await launch(['sleep', '1000'], { stdin: 'pipe' })
    await server.client.ask('prepareLaunch', { sessionId })
    const own = [0, 1].map(fd => readlinkSync(`/proc/${server.child.pid}/fd/${fd}`))
    assert.ok(
      own.every(name => /^(pipe|socket):/.test(name)),
      own.join(),
    )
    const children = ours()
    const programs = new Set(children.map(({ program }) => program))
    assert.deepEqual([...programs].sort(), ['agent', 'guard', 'hook', 'other', 'relay'])
    const inherited = children.flatMap(({ pid, command }) =>
      descriptorsOf(pid)
        .filter(name => own.includes(name))
        .map(name => `${command}: ${name}`),
    )
    assert.deepEqual(inherited, [])
  })

  it('leave no folder, process or socket when the server is killed', async () => {
    const { result } = await server.client.ask('prepareLaunch', { sessionId })
    const folder = String(result?.shimFolder)
    assert.equal(existsSync(join(folder, 'node')), true)
    await launch(['sleep', '1000'])
    const ended = once(server.child, 'exit')
    server.child.kill('SIGKILL')
    await ended
    await untilNothing('the shim folder', () => (existsSync(folder) ? [folder] : []))
  })
})

/** What a process has open. */
function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap(fd => {
    try {
      return [readlinkSync(`${folder}/${fd}`)]
    } catch {
      return [] // closed in between
    }
  })
}

/** Whether some process below the command waits to write to a full pipe. */
function blocked(pid: number): boolean {
  const children = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
  return [String(pid), ...children].some(one => {
    try {
      return /pipe_write|sock_alloc_send|unix_stream_sendmsg/.test(readFileSync(`/proc/${one}/wchan`, 'utf8'))
    } catch {
      return false
    }
  })
}

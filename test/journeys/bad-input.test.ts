// What a newcomer does wrong, or what the machine lacks: one clear sentence with a fix that works, the right exit code, nothing left.
//
// Tested elsewhere: no such target, a command that is missing or not executable (cli.test.ts, cli-client.test.ts, hooks/fidelity.test.ts);
// a process that ended before we entered it, or whose pid another one has (agent.test.ts); names that several containers have, by every
// runtime (agent-containers.test.ts); every way that a port can be held (hooks/ports.test.ts); which version of Linux is missing
// (../hooks/kernel-feature.test.ts); malformed JSON, bad headers, a Content-Length of 1 GiB, unknown methods and fields, the order of
// initialize (server-lifecycle.test.ts); clients that are killed (kill.test.ts) or vanish while a session starts (server-sessions.test.ts);
// frames of another version and wrong signatures (link.test.ts, ../agent/link/greet.test.ts, ../server/link/connect.test.ts); silent links
// (../protocol/link/heartbeat.test.ts).
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { programPath } from '../../protocol/programs.ts'
import { type Containers, startContainers } from '../stage/containers.ts'
import { filesOfStandin, markRun, processesOf, socketsOfStandin, untilNothing } from '../stage/leftovers.ts'
import { type Lines, linesOf } from '../stage/lines.ts'
import { type Pod, programOf, startPod } from '../stage/pod.ts'
import { RawClient, startRawServer } from '../stage/raw-server.ts'
import { startSmallTarget } from '../stage/small-target.ts'

const { EPERM, ENOSYS } = constants.errno
const seccomp = process.arch === 'arm64' ? 277 : 317
const pidfdGetfd = 438
const standin = [process.execPath, programPath('standin')]
const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--']

/** Put before a command, it runs where the kernel answers this call with this error. */
const without = (call: number, errno: number) => [
  'python3',
  resolve('test/stage/without-call.py'),
  String(call),
  String(errno),
]

type Run = { child: ChildProcess; stdout: Lines; stderr: Lines; code: Promise<number | null> }

describe('bad input', () => {
  const mark = markRun()
  const children = new Set<ChildProcess>()
  let pod: Pod
  before(async () => {
    pod = await startPod()
  })
  after(() => pod.end())
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    children.clear()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    await untilNothing('sockets of standin', socketsOfStandin)
    assert.deepEqual(filesOfStandin(), [])
  })

  function start(command: readonly string[], environment = {}): Run {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...mark.environment, ...environment },
    })
    children.add(child)
    const code = new Promise<number | null>(closed => child.on('close', closed))
    return { child, stdout: linesOf(child.stdout), stderr: linesOf(child.stderr), code }
  }
  const exec = (
    target: string,
    command: readonly string[],
    { through = [] as string[], environment = {} } = {},
  ) => start([...through, ...standin, 'exec', '-t', target, '--', ...command], environment)

  /** The command never ran, and the last two lines are the only error and its fix. */
  async function assertRefused({ stdout, stderr, code }: Run, message: RegExp, fix: RegExp): Promise<string> {
    assert.equal(await code, 125, stderr.all.join('\n'))
    assert.deepEqual(stdout.all, [])
    const said = stderr.all.filter(line => /Cannot/.test(line))
    assert.equal(said.length, 1, said.join('\n'))
    assert.equal(said[0]!.match(/Cannot/g)!.length, 1, said[0])
    assert.match(stderr.all.at(-2)!, message)
    assert.match(stderr.all.at(-1)!, fix)
    return said[0]!
  }

  it("a process of another user is refused, with that user's name", async () => {
    await assertRefused(
      exec(pod.target, ['echo', 'ran'], { through: asNobody }),
      /^standin: Cannot read target "process\/\d+": no right to look into pid \d+ of user root$/,
      /^standin: fix: Run as that user, or as root/,
    )
  })

  it('root without the right to enter the target is told which right to give', async () => {
    await assertRefused(
      exec(pod.target, ['echo', 'ran'], { through: ['setpriv', '--bounding-set', '-sys_admin', '--'] }),
      /^standin: Cannot enter the network namespace of pid \d+ here: EPERM, the right CAP_SYS_ADMIN is missing$/,
      /^standin: fix: Run as root.*"--cap-add CAP_SYS_ADMIN"$/,
    )
  })

  // The process can end before or after it was entered, so either is right: refused as a whole, or run as a whole.
  for (const step of ['looking for', 'starting the agent'])
    it(`a process that ends at "${step}" is refused, or was attached in time`, async () => {
      const target = spawn('sleep', ['60'], { stdio: 'ignore' })
      children.add(target)
      const run = exec(`process/${target.pid}`, ['echo', 'ran'])
      await run.stderr.until(`the step "${step}"`, line => line.includes(step))
      target.kill('SIGKILL')
      if ((await run.code) === 0) return assert.deepEqual(run.stdout.all, ['ran'])
      await assertRefused(
        run,
        /^standin: Cannot (attach to target ".*": its process ended|find target ".*": no process has pid \d+)$/,
        /^standin: fix: (Start it again, then start the session again|Pick one that "standin ls" lists)$/,
      )
    })

  it("a pod's port that another program holds is substituted, the user is told of the holder, and the copies arrive", async () => {
    const holder = await startSmallTarget(pod.port)
    try {
      const run = exec(pod.target, [process.execPath, programOf('hash-server.mjs'), String(pod.port)])
      const notice = await run.stderr.until('the notice', line => line.includes('is held by'))
      const expected = `^standin: Port ${pod.port} is held by ".+" \\(pid ${holder.child.pid}\\); the process listens on port \\d+ of this machine instead, and is told ${pod.port}$`
      assert.match(notice, new RegExp(expected))
      await run.stdout.until('the program listening', line => line.includes('listening'))
      const { answered, wrong } = await pod.call(50, 5).result
      assert.deepEqual([answered, wrong], [50, 0])
      await run.stdout.until('a request at the program', line => !line.includes('listening'))
      assert.equal(await (await fetch(`http://127.0.0.1:${pod.port}`)).text(), 'pod', "the holder's answer")
      run.child.kill('SIGTERM')
      assert.equal(await run.code, 0)
    } finally {
      await holder.end()
    }
  })

  it('standin inside of standin is refused, once', async () => {
    await assertRefused(
      exec(pod.target, [...standin, 'exec', '-t', pod.target, '--', 'echo', 'ran']),
      /^standin: Cannot hook a command inside another hooked one: .* \(EBUSY\)$/,
      /^standin: fix: Run it outside of "standin exec"/,
    )
  })

  it('a client that vanishes in the middle of requests takes everything with it', async () => {
    const server = startRawServer(['--stdio'], mark.environment)
    children.add(server.child)
    await server.client.ask('initialize', {})
    const { result } = await server.client.ask('startSession', { target: pod.target })
    const { sessionId } = result ?? {}
    const command = ['sh', '-c', 'setsid sleep 1000 & trap "" TERM; echo runs; sleep 1000; sleep 1000']
    const launched = await server.client.ask('launch', { sessionId, command })
    assert.equal(launched.error, undefined)
    await server.client.until('the command', ({ method }) => method === 'process/output')
    const runs = processesOf(mark.value).filter(({ program }) => program === 'other')
    assert.ok(runs.length >= 2, `the shell and what it started: ${JSON.stringify(runs)}`)
    server.client.send({ id: 'launch', method: 'launch', params: { sessionId, command } })
    server.client.send({ id: 'session', method: 'startSession', params: { target: pod.target } })
    server.client.send({ id: 'view', method: 'streamTraffic', params: { sessionId, credit: 1 } })
    await server.client.until('the view', ({ id }) => id === 'view')
    server.child.stdin!.destroy()
    server.child.stdout!.destroy()
    assert.equal(await server.ended, 1)
  })

  describe('where the hooks are not to be had', () => {
    const lacks: [string, string[], RegExp, RegExp][] = [
      [
        'seccomp is forbidden',
        without(seccomp, EPERM),
        /the system call seccomp gives EPERM/,
        /seccomp=unconfined/,
      ],
      [
        'seccomp is hidden',
        without(seccomp, ENOSYS),
        /the system call seccomp gives ENOSYS although this is Linux \d/,
        /seccomp=unconfined.*CONFIG_SECCOMP_FILTER/,
      ],
      [
        'looking into processes is forbidden',
        without(pidfdGetfd, EPERM),
        /pidfd_getfd .* forbidden/,
        /SYS_PTRACE/,
      ],
    ]
    for (const [lack, through, reason, fix] of lacks)
      it(`because ${lack}, exec is refused with what to allow`, async () => {
        const said = await assertRefused(exec(pod.target, ['echo', 'ran'], { through }), reason, fix)
        assert.match(said, /^standin: Cannot hook processes on this machine: /)
      })

    it('a session starts with a warning and shows traffic, and launch is refused with the fix', async () => {
      const [program, ...args] = [...without(seccomp, EPERM), ...standin, 'serve', '--stdio']
      const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'ignore'], env: mark.environment })
      children.add(child)
      const ended = new Promise(exited => child.once('exit', exited))
      const client = new RawClient(child.stdin, child.stdout)
      const { result: server } = await client.ask('initialize', {})
      const { hooks, hooksReason } = (server?.capabilities ?? {}) as Record<string, unknown>
      const message = 'Cannot hook processes on this machine: the system call seccomp gives EPERM'
      assert.deepEqual([hooks, hooksReason], [false, message])

      const { result: session } = await client.ask('startSession', { target: pod.target })
      const { sessionId, warnings } = session as { sessionId: string; warnings: string[] }
      assert.ok(
        warnings.some(warning => warning.startsWith(`${message}. Allow seccomp`)),
        warnings.join('\n'),
      )
      for (const method of ['launch', 'prepareLaunch']) {
        const { error } = await client.ask(method, { sessionId, command: ['true'] })
        assert.deepEqual([error?.message, error?.data.kind], [message, 'hooks-unavailable'])
        assert.match(error?.data.fix ?? '', /seccomp=unconfined/)
      }

      await client.ask('streamTraffic', { sessionId, credit: 10_000 })
      // The capture begins after the answer; callers come until one is seen.
      const calls = pod.call(0, 2)
      const answered = ({ method, params }: { method?: string; params?: object }) =>
        method === 'traffic/events' && /"event":"response".*"status":200/.test(JSON.stringify(params))
      await client.until('a response of the pod', answered)
      assert.equal((await calls.stop()).wrong, 0)
      assert.equal((await client.ask('stopSession', { sessionId })).error, undefined)
      await client.ask('shutdown', null)
      client.send({ method: 'exit' })
      assert.equal(await ended, 0)
    })
  })

  describe('with containers', () => {
    let containers: Containers
    // One for each run of the tests: runc knows a container by namespace and name on the whole machine.
    const namespace = `bad-input-${process.pid}`
    before(async () => {
      containers = await startContainers()
      await containers.startInPodman('twice', 8080)
      await containers.startInContainerd(namespace, 'twice', 8084)
    })
    after(() => containers.end())

    it('a name that two of them have is refused with names that work', async () => {
      const environment = containers.env
      const said = await assertRefused(
        exec('container/twice', ['echo', 'ran'], { environment }),
        /^standin: Cannot choose target "container\/twice": 2 containers have that name \(/,
        /^standin: fix: Name one by its id, "container\/ID", or by its process, "process\/PID"$/,
      )
      const [, id, , pid] = /\(podman (\S+), pid (\d+); containerd twice, pid (\d+)\)/.exec(said) ?? []
      for (const target of [`container/${id}`, `process/${pid}`])
        assert.equal(await exec(target, ['true'], { environment }).code, 0, `${target} of: ${said}`)
    })
  })
})

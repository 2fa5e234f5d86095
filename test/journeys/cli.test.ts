// The terminal client against a real pod, with the real server, agent and hooks.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programPath } from '../../protocol/programs.ts'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import { type Pod, programOf, startPod } from '../stage/pod.ts'
import { published } from '../stage/published.ts'
import { openTerminal, type Terminal } from './cli-terminal.ts'

describe('standin in a terminal', () => {
  const mark = markRun()
  let pod: Pod
  let terminal: Terminal | undefined
  const children = new Set<ChildProcess>()

  before(async () => {
    pod = await startPod()
  })
  after(() => pod.end())
  afterEach(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
    children.clear()
    await terminal?.end()
    terminal = undefined
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  function start(
    args: string[],
    stdin: 'ignore' | 'pipe' = 'ignore',
    options: { cwd?: string; environment?: NodeJS.ProcessEnv } = {},
  ) {
    const child = spawn(process.execPath, [programPath('standin'), ...args], {
      stdio: [stdin, 'pipe', 'pipe'],
      env: { ...mark.environment, ...options.environment },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    children.add(child)
    const stdout = linesOf(child.stdout)
    const stderr = linesOf(child.stderr)
    const code = new Promise<number | null>(resolve => child.on('close', resolve))
    return { child, stdout, stderr, code }
  }
  const exec = (...command: string[]) => start(['exec', '-t', pod.target, '--', ...command])

  /** An interactive shell, as a person has it, that has typed an exec. */
  async function shellWith(command: string): Promise<Terminal> {
    const shell = openTerminal('bash --norc --noprofile --noediting -i', mark.environment)
    terminal = shell
    shell.type(`PS1='prompt''> '\n`)
    await shell.until('the prompt', /prompt> /)
    shell.type(`node ${programPath('standin')} exec -t ${pod.target} -- ${command}\n`)
    return shell
  }

  it("a command has the pod's environment, our standard streams, and its own exit code", async () => {
    const { child, stdout, code } = start(
      ['exec', '-t', pod.target, '--', 'sh', '-c', 'cat; echo "$SHOP_REGION"; exit 7'],
      'pipe',
    )
    child.stdin!.end('in\n')
    assert.equal(await code, 7)
    assert.deepEqual(stdout.all, ['in', 'pod'])
  })

  it('a program gets the copies, and the pod alone answers', async () => {
    const { child, stdout, stderr, code } = exec(
      process.execPath,
      programOf('hash-server.mjs'),
      String(pod.port),
    )
    await stdout.until('the program listening', line => line.includes('listening'))
    const { answered, wrong, failed } = await pod.call(200, 5).result
    assert.deepEqual({ answered, wrong, failed }, { answered: 200, wrong: 0, failed: 0 })
    await stdout.until('a request at the program', line => !line.includes('listening'))
    child.kill('SIGTERM')
    assert.equal(await code, 0, 'it ends well at SIGTERM')
    assert.ok(stderr.all.some(line => line.startsWith('standin: standing in for')))
  })

  /** A command that ends at once with 7 and leaves a server behind. */
  const leaving = () =>
    exec('sh', '-c', `"${process.execPath}" ${programOf('hash-server.mjs')} ${pod.port} & exit 7`)
  const isNotice = (line: string) => line.includes('what it left behind is served')

  it('what a command left behind is served until it ends, and the exit code is the command’s', async () => {
    const { stdout, stderr, code } = leaving()
    await stderr.until('the notice', isNotice)
    await stdout.until('the program listening', line => line.includes('listening'))
    const calls = pod.call(0, 2)
    await stdout.until('a request at the program', line => line.startsWith('/'))
    assert.equal((await calls.stop()).failed, 0)
    const left = processesOf(mark.value).find(({ command }) => /node \S*hash-server/.test(command))
    process.kill(left!.pid, 'SIGTERM')
    assert.equal(await code, 7)
  })

  it('what a command left behind is ended by a signal to us', async () => {
    const { child, stderr, code } = leaving()
    await stderr.until('the notice', isNotice)
    child.kill('SIGINT')
    assert.equal(await code, 7)
  })

  it('a signal, a missing program and one without the right to run end as in a shell', async () => {
    const killed = exec('sh', '-c', 'kill -SEGV $$')
    assert.equal(await killed.code, 139, killed.stderr.all.join('\n'))
    const missing = exec('no-such-program-here')
    assert.equal(await missing.code, 127)
    assert.ok(
      missing.stderr.all.some(line => line.startsWith('standin: Cannot run command "no-such-program-here"')),
    )
    assert.equal(await exec('/etc/passwd').code, 126)
  })

  it('a target that is not there is refused with its fix, and the command never runs', async () => {
    const { stdout, stderr, code } = start(['exec', '-t', 'process/999999999', '--', 'echo', 'ran'])
    assert.equal(await code, 125)
    assert.deepEqual(stdout.all, [])
    assert.match(stderr.all.at(-2) ?? '', /^standin: Cannot (find|read) target/)
    assert.match(stderr.all.at(-1) ?? '', /^standin: fix: /)
  })

  describe('with --output json every line is an object of the published shape, and exit is the last', () => {
    /** With all that can be told; on standard error, which the command leaves alone. */
    const execJson = (...command: string[]) =>
      start(['exec', '-t', pod.target, '--output', 'json', '-v', '--', ...command])
    const ofProgram = (name: string) => processesOf(mark.value).find(({ program }) => program === name)!.pid
    const check = (lines: readonly string[]) => lines.map(line => published('ExecLine', line))
    const isEvent = (name: string) => (line: string) => line.includes(`"event":"${name}"`)

    it('with -v, which adds the log of the server', async () => {
      const { stderr, code } = execJson('true')
      assert.equal(await code, 0)
      const lines = check(stderr.all)
      assert.ok(lines.some(({ event }) => event === 'ready'))
      assert.ok(lines.some(({ message }) => / debug the connection ended: exit$/.test(String(message))))
      assert.deepEqual(lines.at(-1), { event: 'exit', exitCode: 0 })
    })

    it('on the descriptor that was named, whatever the command writes', async () => {
      const shell = `exec 3>&1 1>/dev/null; exec "$@" 3>&3`
      const args = ['exec', '-t', pod.target, '--output', 'json', '--output-fd', '3', '-v', '--']
      const command = ['sh', '-c', 'echo out; echo err >&2; exit 3']
      const child = spawn(
        'sh',
        ['-c', shell, 'sh', process.execPath, programPath('standin'), ...args, ...command],
        { stdio: ['ignore', 'pipe', 'ignore'], env: mark.environment },
      )
      const stdout = linesOf(child.stdout)
      await once(child, 'close')
      assert.deepEqual(check(stdout.all).at(-1), { event: 'exit', exitCode: 3 })
    })

    it('when what the command left behind is served on', async () => {
      const leave = `"${process.execPath}" ${programOf('hash-server.mjs')} ${pod.port} & exit 7`
      const { child, stderr, code } = execJson('sh', '-c', leave)
      await stderr.until('the notice', isNotice)
      child.kill('SIGINT')
      assert.equal(await code, 7)
      assert.deepEqual(check(stderr.all).at(-1), { event: 'exit', exitCode: 7 })
    })

    it('when the supervisor is killed', async () => {
      const { stdout, stderr, code } = execJson('sh', '-c', 'echo $$; exec sleep 1000')
      const pid = Number(await stdout.until("the command's pid", () => true))
      process.kill(ofProgram('hook'), 'SIGKILL')
      await stderr.until('the notice', line => line.includes('the command runs on'))
      process.kill(pid, 'SIGKILL')
      assert.equal(await code, 125)
      const [error, exit] = check(stderr.all)
        .filter(({ event }) => event === 'error' || event === 'exit')
        .map(({ event }) => event)
      assert.deepEqual([error, exit], ['error', 'exit'])
      assert.deepEqual(check(stderr.all).at(-1), { event: 'exit', exitCode: 125 })
    })

    it('when server and supervisor are killed and the guard has the last word', async () => {
      const { stdout, stderr, code } = execJson('sh', '-c', 'echo runs; exec sleep 1000')
      await stdout.until('the command', line => line === 'runs')
      await stderr.until('the start', isEvent('ready'))
      const pids = [ofProgram('server'), ofProgram('hook')]
      for (const pid of pids) process.kill(pid, 'SIGSTOP')
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      assert.equal(await code, 125)
      const lines = check(stderr.all)
      const guards = lines.filter(({ message }) => /its processes were ended too$/.test(String(message)))
      assert.deepEqual(
        guards.map(({ event, level }) => [event, level]),
        [['notice', 'error']],
      )
    })
  })

  it('a command that ends at once still gives all its output and its code, five times', async () => {
    for (let time = 0; time < 5; time++) {
      const { stdout, code } = exec('sh', '-c', `echo ${time}; exit ${time}`)
      assert.equal(await code, time)
      assert.deepEqual(stdout.all, [String(time)])
    }
  }).timeout(120_000)

  it('Ctrl-C ends the command, and the shell sees 130', async () => {
    const shell = await shellWith("sh -c 'echo runs; exec sleep 60'; echo code=$?")
    const at = await shell.until('the command', /runs\r?\n/)
    shell.type('\x03')
    await shell.until('the exit code', /code=130/, at)
  })

  it('Ctrl-C is the business of a command that handles it', async () => {
    const shell = await shellWith(
      `sh -c 'trap "echo caught; exit 3" INT; echo runs; while :; do sleep 0.1; done'; echo code=$?`,
    )
    const at = await shell.until('the command', /runs\r?\n/)
    shell.type('\x03')
    await shell.until('the exit code', /caught[\s\S]*code=3/, at)
  })

  it('Ctrl-Z stops the command and us, the prompt comes, and fg goes on with both', async () => {
    const shell = await shellWith("sh -c 'echo runs; read line; echo got $line; exit 4'; echo code=$?")
    let at = await shell.until('the command', /runs\r?\n/)
    shell.type('\x1a')
    at = await shell.until('the stop', /Stopped[\s\S]*prompt> /, at)
    const { answered } = await pod.call(20, 2).result
    assert.equal(answered, 20)
    shell.type('fg\n')
    at = await shell.until('the job again', /exec -t/, at)
    shell.type('words\n')
    at = await shell.until('the command going on', /got words/, at)
    shell.type('jobs; echo none=$?\n')
    await shell.until('an empty job list', /none=0/, at)
  })

  it('Ctrl-\\ ends the command with 131', async () => {
    const shell = await shellWith("sh -c 'ulimit -c 0; echo runs; exec sleep 60'; echo code=$?")
    const at = await shell.until('the command', /runs\r?\n/)
    shell.type('\x1c')
    await shell.until('the exit code', /code=131/, at)
  })

  describe('in a folder with a configuration', () => {
    let folder: string
    const configure = (text: string) => writeFileSync(join(folder, '.standin/standin.json'), text)
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'cli-config-'))
      mkdirSync(join(folder, '.standin'))
    })
    afterEach(() => rmSync(folder, { recursive: true, force: true }))
    const startThere = (...args: string[]) => start(args, 'ignore', { cwd: folder })

    it('exec needs no target, and options win over its keys', async () => {
      configure(
        `{ "target": "${pod.target}", // the shop\n "feature": { "env": { "override": { "A": "file", "B": "file" } } } }`,
      )
      const { stdout, code } = startThere(
        'exec',
        '--env',
        'B=line',
        '--',
        'sh',
        '-c',
        'echo "$SHOP_REGION $A $B"',
      )
      assert.equal(await code, 0)
      assert.deepEqual(stdout.all, ['pod file line'])
    })

    it('a key that does not exist is told with the one that was meant, and the command never runs', async () => {
      configure(`{ "target": "${pod.target}", "agent": { "imgae": "node:22" } }`)
      const { stdout, stderr, code } = startThere('exec', '--', 'echo', 'ran')
      assert.equal(await code, 125)
      assert.deepEqual(stdout.all, [])
      assert.match(
        stderr.all.join('\n'),
        /^standin: Cannot use configuration ".*\/\.standin\/standin\.json": agent\.imgae: unknown field \(did you mean "image"\?\)/m,
      )
    })

    it('without a target anywhere, exec says where one can be named', async () => {
      configure('{}')
      const { stderr, code } = startThere('exec', '--', 'true')
      assert.equal(await code, 125)
      assert.match(stderr.all.at(-2)!, /Cannot start session: no target is named/)
      assert.match(stderr.all.at(-1)!, /fix: Name one with -t .*STANDIN_TARGET.*\.standin\/standin\.json/)
    })
  })

  it('ls lists the pod in a form for people and one for programs', async () => {
    const table = start(['ls', '--local'])
    assert.equal(await table.code, 0)
    assert.match(table.stdout.all[0]!, /^TARGET +NAME +PORTS/)
    assert.ok(table.stdout.all.some(line => line.startsWith(pod.target)))
    const json = start(['ls', '--local', '--output', 'json'])
    assert.equal(await json.code, 0)
    assert.equal(json.stdout.all.length, 1)
    published('ListOutput', json.stdout.all[0]!)
  })

  it('traffic is a table in a terminal: a row each request, cut to the width, over a last line that counts', async () => {
    const view = openTerminal(`node ${programPath('standin')} traffic -t ${pod.target}`, mark.environment, {
      columns: 60,
    })
    terminal = view
    const at = await view.until(
      'the table',
      /TIME +CALLER +STATUS +MS +REQUEST\r\n0 requests, 0 open connections/,
    )
    const calls = pod.call(0, 2)
    const row = /\d\d:\d\d:\d\d\S* +\S+ +200 +\S+ +POST …\r\n/
    await view.until('a row', row, at)
    await view.until('the count', /POST …\r\n[1-9]\d* requests, [12] open connections, 0 events lost/, at)
    await calls.stop()
    const end = view.screen().length
    view.type('\x03')
    assert.equal(await view.ended, 0)
    assert.match(view.screen().slice(end), /\r\n/, 'the prompt comes on a line of its own')
    const lines = view.screen().slice(at, end).replaceAll('\r\x1b[K', '\r\n').split('\r\n')
    assert.deepEqual(
      lines.filter(line => line.length > 60),
      [],
    )
  })

  it('Ctrl-C while it attaches ends everything at once, with 130, and the command never runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-runtime-'))
    // A container runtime that does not answer.
    writeFileSync(join(folder, 'podman'), `#!/bin/sh\necho > ${folder}/asked\nexec sleep 1000\n`, {
      mode: 0o755,
    })
    const environment = { ...mark.environment, PATH: `${folder}:${process.env.PATH}` }
    const shell = openTerminal('bash --norc --noprofile --noediting -i', environment)
    terminal = shell
    try {
      shell.type(`PS1='prompt''> '\n`)
      await shell.until('the prompt', /prompt> /)
      shell.type(`node ${programPath('standin')} exec -t container/shop -- echo ran; echo code=$?\n`)
      const at = await shell.until('the step', /looking for container\/shop/)
      await untilNothing('a runtime that was not asked', () =>
        existsSync(join(folder, 'asked')) ? [] : ['podman'],
      )
      const sinceMs = performance.now()
      shell.type('\x03')
      await shell.until('the exit code', /code=130/, at)
      assert.ok(performance.now() - sinceMs < 4_500, 'it waited for the runtime')
      assert.doesNotMatch(shell.screen(), /^ran/m)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('traffic shows every request and answer until Ctrl-C', async () => {
    const view = start(['traffic', '-t', pod.target, '--output', 'json'])
    // The view is in force once a request is seen; what came before is not its business.
    const calls = pod.call(0, 2)
    await view.stdout.untilCount('responses', 20, line => line.includes('"event":"response"'))
    await calls.stop()
    view.child.kill('SIGINT')
    assert.equal(await view.code, 0)
    for (const line of view.stdout.all) published('TrafficLine', line)
  })
})

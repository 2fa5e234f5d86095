// A command under the hooks sees and does what it does alone: environment, streams, limits, signals, exit code, core.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { processMark } from '../../../protocol/hook/mark.ts'
import { compile, programs } from '../../stage/compile-programs.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import type { HookedCommand } from '../../stage/hooked-command.ts'

const python = '/usr/bin/python3'
type Ending = { code: number | null; signal: string | null; output: string; errors: string }

describe('a hooked command', () => {
  let harness: HookHarness
  let folder: string
  beforeEach(async () => {
    harness = await HookHarness.open()
    folder = mkdtempSync(join(tmpdir(), 'standin-fidelity-'))
  })
  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true })
    assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
  })

  type Wrap = (argv: readonly string[]) => readonly string[]
  async function alone(command: readonly string[], wrap: Wrap, input: string | null = ''): Promise<Ending> {
    const [file, ...args] = wrap(command)
    const child = harness.own(spawn(file!, args, { stdio: 'pipe', detached: true, cwd: folder }))
    return ending(child, input)
  }
  async function hooked(
    command: readonly string[],
    wrap: Wrap,
    input: string | null = '',
  ): Promise<Ending & { run: HookedCommand }> {
    const run = await harness.warm(command, { wrap, spawn: { cwd: folder } })
    const end = ending(run.supervisor, input)
    await run.next('warm')
    harness.begin(run, command)
    return { ...(await end), run }
  }

  const shell =
    (script: string): Wrap =>
    argv => ['sh', '-c', script, 'sh', ...argv]
  const inTerminal =
    (wrap: Wrap): Wrap =>
    argv =>
      [python, 'TERMINAL', '', ...wrap(argv)].map(part =>
        part === 'TERMINAL' ? join(programs, '../stage/terminal.py') : part,
      )
  const settings: readonly (readonly [name: string, wrap: Wrap])[] = [
    ['pipes', shell('"$@"; exit $?')],
    ['lowered limits and another umask', shell('ulimit -Sn 300; ulimit -c 0; umask 027; "$@"; exit $?')],
    ['raised limits', shell('ulimit -Hn 5000; ulimit -Sn 4000; "$@"; exit $?')],
    ['standard streams on files', shell('"$@" </dev/null 2>/dev/null | cat')],
    ['another folder', shell('cd /usr/bin && "$@"; exit $?')],
    ['a niceness of 5', shell('nice -n 5 "$@"; exit $?')],
    ['a terminal', inTerminal(shell('"$@"; exit $?'))],
  ]
  for (const [name, wrap] of settings)
    it(`sees the same with ${name}`, async () => {
      const command = [python, `${programs}/facts.py`]
      const [native, ours] = [await alone(command, wrap, null), await hooked(command, wrap, null)]
      const [expected, seen] = [JSON.parse(native.output), JSON.parse(ours.output)]
      assert.match(seen.environment[processMark], /^test-/)
      delete seen.environment[processMark]
      assert.deepEqual(seen, expected)
    })

  const ends: readonly (readonly [name: string, command: () => readonly string[]])[] = [
    ['exit code 0', () => ['true']],
    ['exit code 37', () => ['sh', '-c', 'exit 37']],
    ['exit code 255', () => ['sh', '-c', 'exit 255']],
    ...(['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGINT', 'SIGPIPE', 'SIGRTMIN'] as const).map(
      signal =>
        [
          `death by ${signal}`,
          () => ['sh', '-c', `kill -${signal === 'SIGRTMIN' ? 34 : signal.slice(3)} $$`],
        ] as const,
    ),
  ]
  for (const [name, command] of ends)
    it(`ends the same: ${name}`, async () => {
      const native = await alone(command(), argv => argv)
      const { run, ...ours } = await hooked(command(), argv => argv)
      assert.deepEqual(ours, native)
      const exit = await run.next('exit')
      if (name.includes('code')) assert.equal(exit.code, native.code)
      else if (!name.includes('RTMIN')) assert.deepEqual([exit.code, exit.signal], [undefined, native.signal])
      await run.next('done')
    })

  for (const limit of ['unlimited', '0'])
    it(`leaves the same core with "ulimit -c ${limit}"`, async () => {
      const command = ['sh', '-c', 'kill -SEGV $$']
      const wrap = shell(`ulimit -c ${limit}; exec "$@"`)
      const core = join(folder, 'core')
      await alone(command, wrap)
      const native = existsSync(core)
      rmSync(core, { force: true })
      const { run } = await hooked(command, wrap)
      assert.equal((await run.next('exit')).signal, 'SIGSEGV')
      assert.equal(existsSync(core), native)
      if (native)
        assert.ok(readFileSync(core).length < 20_000_000, 'the core is the supervisor’s, not the command’s')
    })

  it('reads its standard input to the end and streams its output', async () => {
    const input = 'line\n'.repeat(100_000)
    const { output } = await hooked(['sh', '-c', 'cat; echo end'], argv => argv, input)
    assert.equal(output, `${input}end\n`)
  })

  it('closes its output when the command does, though the supervisor lives on', async () => {
    const run = await harness.start(['sh', '-c', 'exec >&- 2>&-; read line'])
    const output = run.supervisor.stdout!
    if (!output.closed) await once(output, 'close')
    assert.equal(run.supervisor.exitCode, null)
    run.supervisor.stdin!.end('\n')
    assert.equal((await run.next('exit')).code, 0)
  })

  it('gets the environment, folder and command of "start"', async () => {
    const run = await harness.warm([], {
      onCommandLine: false,
      spawn: { env: { REMOVED: 'yes', KEPT: 'yes' } },
    })
    await run.next('warm')
    harness.begin(run, ['sh', '-c', 'echo "$ADDED,$REMOVED,$KEPT,$PWD"'], {
      onCommandLine: false,
      environment: { ADDED: 'a b\n$c', REMOVED: null },
      cwd: folder,
    })
    await run.next('done')
    assert.deepEqual(run.output.all, ['a b', `$c,,yes,${folder}`])
  })

  it('as root keeps the right to gain rights; as an ordinary user loses it, and a notice says so', async () => {
    const show = ['grep', 'NoNewPrivs', '/proc/self/status']
    const asRoot = await hooked(show, argv => argv)
    assert.match(asRoot.output, /\b0$/m)
    assert.deepEqual(asRoot.run.notices('no-new-privileges'), [])
    const other = await HookHarness.open(nobody)
    try {
      const run = await other.start(show)
      assert.match(await run.output.until('NoNewPrivs', () => true), /\b1$/)
      await run.notice('no-new-privileges')
      assert.equal(run.notices('no-new-privileges').length, 1)
    } finally {
      await other.close()
    }
  })

  it('gets ENOSYS from io_uring_setup', async () => {
    const script =
      'import ctypes; libc = ctypes.CDLL(None, use_errno=True); libc.syscall(425, 1, 0); print(ctypes.get_errno())'
    const { output } = await hooked([python, '-c', script], argv => argv)
    assert.equal(Number(output), constants.errno.ENOSYS)
  })

  if (process.arch === 'x64')
    it('that is a 32-bit program runs unhooked, and one notice says so', async () => {
      const program = compile('write-i386.s', 'i386')
      const { output, run } = await hooked(['sh', '-c', `${program}; ${program}`], argv => argv)
      assert.equal(output, '32-bit runs\n32-bit runs\n')
      assert.equal((await run.next('exit')).code, 7)
      await run.notice('32-bit-program')
      assert.equal(run.notices('32-bit-program').length, 1)
    })

  for (const [name, command, kind, code, cwd] of [
    ['does not exist', ['/no/such/program'], 'command-not-found', 127],
    ['is not in PATH', ['no-such-program-anywhere'], 'command-not-found', 127],
    ['is a folder', ['/usr'], 'command-not-executable', 126],
    ['is not executable', ['/etc/passwd'], 'command-not-executable', 126],
    ['lies below a file', ['/etc/passwd/x'], 'command-not-executable', 126],
    ['has no folder to run in', ['true'], 'folder-not-found', 125, '/no/such/folder'],
  ] as const)
    it(`that ${name} fails with ${kind} and ${code}`, async () => {
      const run = await harness.start(command, { mayFail: true, ...(cwd === undefined ? {} : { cwd }) })
      const { failure } = await run.next('failed')
      assert.equal(failure.kind, kind)
      assert.deepEqual(await run.ended, { code, signal: null })
    })

  it('cannot be hooked again inside itself, and the probe says which of the two it is', async () => {
    const probe = [process.execPath, join(harness.dist, 'hook.cjs'), '--probe']
    assert.deepEqual(JSON.parse((await alone(probe, argv => argv)).output), { hooks: true })
    const inside = JSON.parse((await hooked(probe, argv => argv)).output)
    assert.deepEqual([inside.hooks, inside.failure.kind], [false, 'hooks-nested'])
  })
})

/** How it ended and what it said; its input is `input` and then the end, or stays open when that is null. */
async function ending(child: ChildProcess, input: string | null): Promise<Ending> {
  const read = async (stream: NodeJS.ReadableStream) => {
    let text = ''
    for await (const part of stream.setEncoding('utf8')) text += part
    return text
  }
  child.stdin!.on('error', () => {})
  if (input !== null) child.stdin!.end(input)
  const exited = new Promise<[number | null, string | null]>(done =>
    child.once('exit', (...how) => done(how)),
  )
  const [output, errors, [code, signal]] = await Promise.all([
    read(child.stdout!),
    read(child.stderr!),
    exited,
  ])
  return { code, signal, output, errors }
}

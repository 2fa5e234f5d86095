// A blocking accept that the hooks hold behaves like one that the kernel holds: it can be stopped, traced, frozen, interrupted and killed.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { compile } from '../../stage/compile-programs.ts'
import { holdPort } from '../../stage/holder.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import type { HookedCommand, Listener } from '../../stage/hooked-command.ts'
import { type Lines, linesOf } from '../../stage/lines.ts'
import { inAccept, stateOf, untilState } from '../../stage/process-state.ts'

const python = '/usr/bin/python3'
const cgroups = '/sys/fs/cgroup'
const caller = { address: '10.9.8.7', port: 4321 }
let port = 9300

for (const [who, owner] of [
  ['root', {}],
  ['an ordinary user', nobody],
] as const)
  describe(`a held accept of a process of ${who}`, () => {
    let harness: HookHarness
    let hooked: HookedCommand
    let listener: Listener
    let answered = 0

    async function start(command: readonly string[], ports = [++port]): Promise<void> {
      hooked = await harness.start([...command, String(port)], { ports })
      if (ports.includes(port)) listener = await hooked.listening(port)
      await untilState('accept', () => inAccept(hooked.pid))
    }
    /** Delivers one connection and checks that the program served it with its caller. */
    async function serves(): Promise<void> {
      const id = `n${++answered}`
      const answer = await hooked.deliver(listener, { caller, pod: { address: '10.1.2.3', port } }, id)
      assert.equal(answer, `ok ${id}`)
      const line = await hooked.output.until(`report of ${id}`, line => line.startsWith(`conn ${id} `))
      assert.equal(line, `conn ${id} 10.9.8.7 4321 10.9.8.7 4321 10.1.2.3 ${port}`)
    }

    beforeEach(async () => {
      harness = await HookHarness.open(owner)
    })
    afterEach(async () => {
      assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
    })

    it('is stopped by SIGSTOP and goes on after SIGCONT', async () => {
      await start([compile('accept.c', 'c')])
      for (let turn = 0; turn < 3; turn++) {
        process.kill(hooked.pid, 'SIGSTOP')
        await untilState('state T', () => stateOf(hooked.pid) === 'T', 2_000)
        await hooked.announce({ address: '127.99.0.1', port: 1 + turn }, { caller, pod: caller })
        process.kill(hooked.pid, 'SIGCONT')
        await untilState('state S', () => stateOf(hooked.pid) === 'S', 2_000)
        await serves()
      }
    })

    it('takes, after SIGCONT, a connection that came while it was stopped', async () => {
      await start([compile('accept.c', 'c')])
      process.kill(hooked.pid, 'SIGSTOP')
      await untilState('state T', () => stateOf(hooked.pid) === 'T', 2_000)
      const served = serves()
      await hooked.announce({ address: '127.99.0.2', port: 1 }, { caller, pod: caller })
      process.kill(hooked.pid, 'SIGCONT')
      await served
      await serves()
    })

    it('can be traced by strace while it waits', async () => {
      await start([compile('accept.c', 'c')])
      const tracer = harness.own(
        spawn('strace', ['-f', '-p', String(hooked.pid)], { stdio: ['ignore', 'ignore', 'pipe'] }),
      )
      const trace = linesOf(tracer.stderr)
      await trace.until('strace to attach', line => line.includes('attached'))
      // The first accept began before strace came, and is shown in parts.
      await serves()
      await serves()
      await trace.until('the accept in the trace', line => /accept\(3, .*10\.9\.8\.7/.test(line))
      tracer.kill('SIGINT')
      await once(tracer, 'exit')
      await serves()
    })

    it('can be looked into by gdb while it waits', async () => {
      await start([compile('accept.c', 'c')])
      const { stdout } = await promisify(execFile)(
        'gdb',
        ['-nx', '-batch', '-p', String(hooked.pid), '-ex', 'bt', '-ex', 'detach'],
        { timeout: 30_000, env: { ...process.env, DEBUGINFOD_URLS: '' } },
      )
      assert.match(stdout, /serve_forever|main \(/)
      await serves()
    })

    it('has a freezer of cgroups to be tested with', () =>
      assert.notEqual(freezers().length, 0, `no freezer under ${cgroups}: mount cgroup v2 there`))

    for (const freezer of freezers())
      it(`can be frozen and thawed by the freezer of cgroup ${freezer.version}`, async () => {
        await start([compile('accept.c', 'c')])
        const group = freezer.make()
        try {
          writeFileSync(join(group, 'cgroup.procs'), String(hooked.pid))
          freezer.freeze(group, true)
          await untilState('frozen', () => freezer.frozen(group), 3_000)
          freezer.freeze(group, false)
          await untilState('thawed', () => !freezer.frozen(group), 3_000)
          await serves()
          writeFileSync(join(freezer.root, 'cgroup.procs'), String(hooked.pid))
        } finally {
          rmdirSync(group)
        }
      })

    it('gives EINTR to a handler without SA_RESTART and goes on after one with it, as without the hooks', async () => {
      const program = compile('accept-interrupted.c', 'c')
      const plainPort = ++port
      const plain = harness.own(spawn(program, [String(plainPort)], { stdio: ['ignore', 'pipe', 'inherit'] }))
      const native = await interrupt(plain.pid!, linesOf(plain.stdout))
      plain.kill('SIGKILL')
      await start([program])
      assert.deepEqual(await interrupt(hooked.pid, hooked.output), native)
      assert.deepEqual(native, ['EINTR', 'restarted', 'restarted', 'EINTR'])
      await serves()
    })

    it('gives EINVAL when another thread shuts the listener down, as without the hooks', async () => {
      const command = [python, `${harness.programs}/shutdown-during-accept.py`]
      const plain = harness.own(
        spawn(python, [command[1]!, String(++port)], { stdio: ['pipe', 'pipe', 'inherit'] }),
      )
      const native = await shutDown(plain)
      hooked = await harness.start([...command, String(++port)], { ports: [port] })
      await hooked.listening(port)
      assert.equal(await shutDown(hooked.supervisor, hooked.output), native)
    })

    it('keeps no hold on the port when its process is killed', async () => {
      await start([compile('accept.c', 'c')])
      process.kill(hooked.pid, 'SIGKILL')
      assert.equal((await hooked.next('exit')).signal, 'SIGKILL')
      const holder = await holdPort(port)
      await holder.release()
    })

    for (const [mode, how] of [
      ['exec', 'another thread executes a program'],
      ['cancel', 'its thread is cancelled'],
    ] as const)
      it(`keeps no hold on the port when ${how}, and the next one on that port is served`, async () => {
        hooked = await harness.start([compile('accept-disturbed.c', 'c'), mode, String(++port)], {
          ports: [port],
        })
        await hooked.listening(port)
        const waits = () => hooked.output.until('the thread', line => line.startsWith('waits'))
        const thread = mode === 'exec' ? hooked.pid : Number((await waits()).split(' ')[1])
        await untilState('accept', () => inAccept(thread))
        process.kill(hooked.pid, 'SIGUSR1')
        await hooked.output.untilCount('second start', 2, line => line.startsWith('ready'))
        await untilState('accept', () => inAccept(hooked.pid))
        listener = await hooked.listening(port)
        await serves()
        await serves()
      })

    it('keeps no hold on the port when one of its processes is killed and the others go on', async () => {
      const script = `${compile('accept.c', 'c')} ${++port} & echo child $!; read line; wait`
      hooked = await harness.start(['sh', '-c', script], { ports: [port] })
      await hooked.listening(port)
      const child = Number(
        (await hooked.output.until('child', line => line.startsWith('child'))).split(' ')[1],
      )
      await untilState('accept', () => inAccept(child))
      process.kill(child, 'SIGKILL')
      await untilState('the end of the child', () => stateOf(child) === undefined || stateOf(child) === 'Z')
      const begun = performance.now()
      await untilState('the port to be free', () => !listens(port), 4_000)
      assert.ok(performance.now() - begun < 3_000)
    })
  })

/** Sends USR1, USR2, USR2, USR1, each when the program waits in accept again; gives what it printed. */
async function interrupt(pid: number, output: Lines): Promise<string[]> {
  await output.until('ready', line => line.startsWith('ready'))
  for (const [index, signal] of (['SIGUSR1', 'SIGUSR2', 'SIGUSR2', 'SIGUSR1'] as const).entries()) {
    await untilState('accept', () => inAccept(pid) && stateOf(pid) === 'S')
    process.kill(pid, signal)
    await output.untilCount('lines', index + 2, () => true)
  }
  return output.all.slice(1)
}

async function shutDown(child: ChildProcess, output = linesOf(child.stdout)): Promise<string> {
  await output.until('ready', line => line.startsWith('ready'))
  child.stdin!.write('\n')
  return output.until('errno', line => line.startsWith('E'))
}

function listens(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'utf8').includes(`:${hex} 00000000:0000 0A`)
}

type Freezer = {
  version: 'v1' | 'v2'
  root: string
  make(): string
  freeze(group: string, on: boolean): void
  frozen(group: string): boolean
}

/** Those freezers of this machine that this user may use. */
function freezers(): Freezer[] {
  const make = (root: string) => () => {
    const group = join(root, `standin-test-${process.pid}`)
    mkdirSync(group)
    return group
  }
  const v1 = join(cgroups, 'freezer')
  const v2 = [cgroups, join(cgroups, 'unified')].find(root => existsSync(join(root, 'cgroup.controllers')))
  const found: Freezer[] = []
  if (existsSync(join(v1, 'cgroup.procs')))
    found.push({
      version: 'v1',
      root: v1,
      make: make(v1),
      freeze: (group, on) => writeFileSync(join(group, 'freezer.state'), on ? 'FROZEN' : 'THAWED'),
      frozen: group => readFileSync(join(group, 'freezer.state'), 'utf8').trim() === 'FROZEN',
    })
  if (v2 !== undefined)
    found.push({
      version: 'v2',
      root: v2,
      make: make(v2),
      freeze: (group, on) => writeFileSync(join(group, 'cgroup.freeze'), on ? '1' : '0'),
      frozen: group => readFileSync(join(group, 'cgroup.events'), 'utf8').includes('frozen 1'),
    })
  return found
}

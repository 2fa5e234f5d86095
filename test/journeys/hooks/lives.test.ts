// Who ends when: commands that leave processes behind, supervisors that are killed, servers that go away.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'
import { exchange } from '../../stage/callers.ts'
import { compile, programs } from '../../stage/compile-programs.ts'
import { HookHarness, markedProcesses, nobody } from '../../stage/hook-harness.ts'
import { type HookedCommand, type Listener, reachable } from '../../stage/hooked-command.ts'
import { inAccept, stateOf, statusOf, untilState } from '../../stage/process-state.ts'

const python = '/usr/bin/python3'
const caller = { address: '10.9.8.7', port: 4321 }

describe('lives of hooked processes', () => {
  let harness: HookHarness
  let port = 9600
  let answered = 0
  beforeEach(async () => {
    harness = await HookHarness.open()
    port++
  })
  afterEach(async () => {
    assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
  })

  async function serves(hooked: HookedCommand, listener: Listener): Promise<void> {
    const id = `n${++answered}`
    assert.equal(
      await hooked.deliver(listener, { caller, pod: { address: '10.1.2.3', port } }, id),
      `ok ${id}`,
    )
    const line = await hooked.output.until(`report of ${id}`, line => line.startsWith(`conn ${id} `))
    assert.equal(line, `conn ${id} 10.9.8.7 4321 10.9.8.7 4321 10.1.2.3 ${port}`)
  }
  async function servesUnannounced(hooked: HookedCommand, listener: Listener): Promise<void> {
    const id = `n${++answered}`
    const from = { address: '127.88.1.1', port: 20_000 + answered }
    assert.equal(await exchange({ to: reachable(listener.actual), from, bytes: id }), `ok ${id}`)
    const line = await hooked.output.until(`report of ${id}`, line => line.startsWith(`conn ${id} `))
    assert.match(line, new RegExp(` 127.88.1.1 ${from.port} 127.88.1.1 ${from.port} 127.0.0.1 `))
  }

  it('a daemon stays served after its command ended, and "done" comes when it is gone', async () => {
    const hooked = await harness.start([python, `${harness.programs}/fork-setsid-fork.py`, String(port)], {
      ports: [port],
    })
    assert.equal((await hooked.next('exit')).code, 0)
    const listener = await hooked.listening(port)
    for (let turn = 0; turn < 10; turn++) await serves(hooked, listener)
    assert.ok(!hooked.messages.has(message => message.type === 'done'))
    const daemon = Number(
      (await hooked.output.until('daemon', line => line.startsWith('daemon'))).split(' ')[1],
    )
    process.kill(daemon, 'SIGKILL')
    await hooked.next('done')
    assert.deepEqual(await hooked.ended, { code: 0, signal: null })
  })

  it('a command that has ended before its supervisor hears of its start ends the supervisor too', async () => {
    for (let turn = 0; turn < 3; turn++) {
      const hooked = await harness.warm(['true'])
      await hooked.next('warm')
      harness.begin(hooked, ['true'])
      // What keeps it busy: its threads tell of the start and of the last end meanwhile.
      for (let message = 0; message < 20_000; message++) hooked.send({ type: 'retract', announcement: 1 })
      await hooked.next('done')
      assert.deepEqual(await hooked.ended, { code: 0, signal: null })
    }
  })

  it('processes that outlive their command stay served until the last is gone', async () => {
    const serve = `${python} ${harness.programs}/serve.py`
    const hooked = await harness.start(['sh', '-c', `${serve} ${port} & ${serve} ${port + 100} & exit 3`], {
      ports: [port, port + 100],
    })
    assert.equal((await hooked.next('exit')).code, 3)
    const [one, other] = await Promise.all([hooked.listening(port), hooked.listening(port + 100)])
    await serves(hooked, one)
    await exchange({ to: reachable(one.actual), bytes: 'quit' })
    await serves(hooked, one).then(
      () => assert.fail('the first went on'),
      () => undefined,
    )
    assert.equal(await hooked.deliver(other, { caller, pod: caller }, 'more'), 'ok more')
    assert.ok(!hooked.messages.has(message => message.type === 'done'))
    await exchange({ to: reachable(other.actual), bytes: 'quit' })
    await hooked.next('done')
    assert.deepEqual(await hooked.ended, { code: 3, signal: null })
  })

  for (const [program, command] of [
    ['C', () => [compile('accept.c', 'c')]],
    ['a Python pre-fork server', () => [python, `${harness.programs}/accept-after-fork.py`]],
    ['Node http', undefined],
  ] as const)
    it(`${program} goes on serving when its supervisor is killed`, async () => {
      const http = command === undefined
      const argv = http ? [process.execPath, `${harness.programs}/http-server.mjs`] : command()
      const hooked = await harness.start([...argv, String(port)], { ports: [port] })
      const listener = await hooked.listening(port)
      if (program === 'C') {
        await serves(hooked, listener)
        await untilState('accept', () => inAccept(hooked.pid))
      }
      hooked.supervisor.kill('SIGKILL')
      await hooked.ended
      for (let turn = 0; turn < 20; turn++)
        if (http) {
          const answer = await exchange({
            to: reachable(listener.actual),
            bytes: 'GET /x HTTP/1.1\r\nhost: pod\r\n\r\n',
          })
          assert.match(answer, /ok x$/)
        } else await servesUnannounced(hooked, listener)
      assert.equal(stateOf(hooked.pid) === undefined, false)
    })

  it('a supervisor that cannot answer any more ends, and the guard lets its commands go on', async () => {
    const hooked = await harness.start([compile('accept.c', 'c'), String(port)], { ports: [port] })
    const listener = await hooked.listening(port)
    await serves(hooked, listener)
    await untilState('accept', () => inAccept(hooked.pid))
    await closeNotifications(hooked.supervisor.pid!)
    for (let turn = 0; turn < 5; turn++) await servesUnannounced(hooked, listener)
    await hooked.ended
    assert.equal(hooked.notices('hook-mistake').length, 1)
  })

  const ways = {
    'a command': (command: string[]) => command,
    'one without any environment': (command: string[]) => ['env', '-i', ...command],
    'one that writes over its environment': (command: string[]) => [
      python,
      `${programs}/overwrite-environment.py`,
      ...command,
    ],
    'one that became a daemon': (command: string[]) => [
      'sh',
      '-c',
      'setsid env -i "$@" & exec sleep 1000',
      'sh',
      ...command,
    ],
  }
  for (const [who, owner] of [
    ['root', {}],
    ['an ordinary user', nobody],
  ] as const)
    for (const [what, start] of Object.entries(ways))
      for (const ends of [
        ['supervisor', 'server'],
        ['server', 'supervisor'],
      ] as const)
        it(`when both die, the ${ends[0]} first, the processes of ${what} of ${who} are ended with one line`, async () => {
          await harness.close()
          harness = await HookHarness.open(owner)
          const program = [python, `${harness.programs}/accept-after-fork.py`, String(port)]
          const hooked = await harness.start(start(program), { ports: [port] })
          await hooked.listening(port)
          await hooked.output.until('ready', line => line.startsWith('ready'))
          const processes = hookedUnder(hooked.supervisor.pid!)
          assert.ok(processes.length >= 5)
          for (const one of ends) {
            if (one === 'supervisor') {
              hooked.supervisor.kill('SIGKILL')
              await hooked.ended
            } else {
              hooked.disconnect()
              harness.guard.child.stdin!.end()
            }
          }
          await untilState('the end of all processes', () => processes.every(hasEnded))
          await untilState('the end of the guard', () => harness.guard.child.exitCode !== null)
          assert.equal(harness.guard.errors.all.length, 1, harness.guard.errors.all.join('\n'))
          const line = harness.guard.errors.all[0]!
          assert.match(
            line,
            /^standin: the server .*of ".*" \(pid \d+\) ended; its processes were ended too$/,
          )
        })

  it('when the server goes away, the supervisor ends the command and itself', async () => {
    const hooked = await harness.start([python, `${harness.programs}/fork-setsid-fork.py`, String(port)], {
      ports: [port],
    })
    await hooked.listening(port)
    hooked.disconnect()
    await hooked.ended
    assert.deepEqual(markedProcesses(hooked.process), [])
  })

  it('a server that goes away before start ends the supervisor quietly with 125', async () => {
    const hooked = await harness.warm(['true'])
    await hooked.next('warm')
    hooked.disconnect()
    assert.deepEqual(await hooked.ended, { code: 125, signal: null })
    assert.deepEqual([hooked.output.all, hooked.errors.all], [[], []])
  })

  it('"end" kills what ignores SIGTERM', async () => {
    const ignores =
      "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo up; while :; do sleep 1; done"
    const hooked = await harness.start(['sh', '-c', ignores])
    await hooked.output.until('up', line => line === 'up')
    hooked.send({ type: 'end', killAfterMs: 200 })
    assert.equal((await hooked.next('exit')).signal, 'SIGKILL')
    await hooked.next('done')
    assert.deepEqual(markedProcesses(hooked.process), [])
  })

  it('"signal" reaches the command', async () => {
    const hooked = await harness.start([
      'sh',
      '-c',
      "trap 'echo got; exit 9' USR1; echo up; while :; do sleep 0.05; done",
    ])
    await hooked.output.until('up', line => line === 'up')
    hooked.send({ type: 'signal', signal: 'SIGUSR1' })
    assert.equal((await hooked.next('exit')).code, 9)
    assert.ok(hooked.output.all.includes('got'))
  })

  it('SIGTERM to the supervisor is passed on to the command', async () => {
    const hooked = await harness.start([
      'sh',
      '-c',
      "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done",
    ])
    await hooked.output.until('up', line => line === 'up')
    hooked.supervisor.kill('SIGTERM')
    assert.equal((await hooked.next('exit')).code, 9)
    assert.deepEqual(await hooked.ended, { code: 9, signal: null })
  })

  it('SIGTERM to the supervisor while the command is being started is passed on to it', async () => {
    const command = ['sh', '-c', 'while :; do sleep 0.05; done']
    for (let turn = 0; turn < 10; turn++) {
      const hooked = await harness.warm(command)
      await hooked.next('warm')
      harness.begin(hooked, command)
      if (turn % 2 === 0) await hooked.next('started')
      else await untilState('the command', () => childrenOf(hooked.supervisor.pid!).length > 0)
      hooked.supervisor.kill('SIGTERM')
      assert.equal((await hooked.next('exit')).signal, 'SIGTERM')
      await hooked.next('done')
      assert.deepEqual(await hooked.ended, { code: null, signal: 'SIGTERM' })
    }
  })

  it('children that end one by one for a long time are reaped, and none is left a zombie', async () => {
    const hooked = await harness.start([
      'sh',
      '-c',
      'for i in $(seq 200); do (sleep 0.01 & ) ; done; echo all; read line',
    ])
    await hooked.output.until('all', line => line === 'all')
    await untilState('no children but the command', () => childrenOf(hooked.supervisor.pid!).length <= 1)
    hooked.supervisor.stdin!.end()
    assert.equal((await hooked.next('exit')).code, 1)
  })
})

const hasEnded = (pid: number) => [undefined, 'Z', 'X'].includes(stateOf(pid))

/** All that runs below a supervisor, found by parents and not by marks. */
function hookedUnder(supervisor: number): number[] {
  const found = childrenOf(supervisor)
  return [...found, ...found.flatMap(hookedUnder)].filter(pid => statusOf(pid, 'Seccomp') === '2')
}

function childrenOf(parent: number): number[] {
  return readdirSync(`/proc/${parent}/task`).flatMap(task =>
    readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

/** Takes the notification descriptor away from a supervisor, so that its next answer fails. */
async function closeNotifications(supervisor: number): Promise<void> {
  const folder = `/proc/${supervisor}/fd`
  const found = readdirSync(folder).find(name => readlinkSync(`${folder}/${name}`).includes('seccomp'))
  const close = ['-ex', `call (int)close(${found})`, '-ex', 'detach']
  const options = { timeout: 30_000, env: { ...process.env, DEBUGINFOD_URLS: '' } }
  await promisify(execFile)('gdb', ['-nx', '-batch', '-p', String(supervisor), ...close], options)
}

// When nothing may be delivered to a listener any more: it was closed, its process ended, or a program outside of the session shares its port.
import assert from 'node:assert/strict'
import { Calls } from '../../stage/calls.ts'
import { compile } from '../../stage/compile-programs.ts'
import { type Holder, holdPort } from '../../stage/holder.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import { type HookedCommand, type Listener, reachable } from '../../stage/hooked-command.ts'

const python = '/usr/bin/python3'

for (const [who, owner] of [
  ['root', {}],
  ['an ordinary user', nobody],
] as const)
  describe(`a listener of a process of ${who}`, () => {
    let harness: HookHarness
    let hooked: HookedCommand
    let calls: Calls
    let holders: Holder[] = []
    let port = 9700
    const make = (call: string, name: string, ...rest: unknown[]) => calls.make(call, name, ...rest)
    const closed = (listener: Listener) =>
      hooked.next('closed', message => message.listener === listener.listener)

    async function start(): Promise<void> {
      hooked = await harness.start([python, `${harness.programs}/calls.py`], { ports: [port] })
      calls = new Calls({ input: hooked.supervisor.stdin!, output: hooked.output })
    }
    async function listen(name: string, ...options: string[]): Promise<Listener> {
      await make('socket', name, 'ipv4')
      for (const option of options) await make(option, name)
      assert.equal(await make('bind', name, '0.0.0.0', port), null)
      assert.equal(await make('listen', name), null)
      return hooked.listening(port)
    }
    async function hold(...options: Parameters<typeof holdPort>): Promise<Holder> {
      const holder = await holdPort(...options)
      holders.push(holder)
      return holder
    }

    beforeEach(async () => {
      port++
      harness = await HookHarness.open(owner)
    })
    afterEach(async () => {
      for (const holder of holders) await holder.release()
      holders = []
      assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
    })

    it('is told to be closed when its program closes it, and a program that takes the port is not reached', async () => {
      await start()
      const listener = await listen('a')
      const to = reachable(listener.actual)
      assert.equal(await hooked.isReached(to), true)
      await make('close', 'a')
      await hold(port)
      assert.equal(await hooked.isReached(to), false)
      await closed(listener)
    })

    it('is told to be closed when its process is killed and its parent waits on, as nodemon does', async () => {
      const script = `${compile('accept.c', 'c')} ${port} & echo child $!; wait; echo waits; read line`
      hooked = await harness.start(['sh', '-c', script], { ports: [port] })
      const listener = await hooked.listening(port)
      const child = await hooked.output.until('child', line => line.startsWith('child'))
      process.kill(Number(child.split(' ')[1]), 'SIGKILL')
      await hooked.output.until('the parent', line => line === 'waits')
      await closed(listener)
    })

    it('is reached as long as any process has it', async () => {
      await start()
      const listener = await listen('a')
      const child = (await make('fork-hold', 'a')) as number
      await make('close', 'a')
      assert.equal(await hooked.isReached(reachable(listener.actual)), true)
      process.kill(child, 'SIGKILL')
      await closed(listener)
    })

    it('is told anew when the program listens again', async () => {
      await start()
      const first = await listen('a')
      await make('close', 'a')
      const second = await listen('b')
      assert.notEqual(first.listener, second.listener)
      await closed(first)
      assert.equal(await hooked.isReached(reachable(second.actual)), true)
    })
  })

describe('a listener that shares its port', () => {
  let harness: HookHarness
  let hooked: HookedCommand
  let calls: Calls
  let holder: Holder | undefined
  let port = 9750
  const make = (call: string, name: string, ...rest: unknown[]) => calls.make(call, name, ...rest)
  async function listen(name: string): Promise<void> {
    await make('socket', name, 'ipv4')
    await make('reuseport', name)
    assert.equal(await make('bind', name, '0.0.0.0', port), null)
    assert.equal(await make('listen', name), null)
  }

  beforeEach(async () => {
    port++
    harness = await HookHarness.open()
    hooked = await harness.start([python, `${harness.programs}/calls.py`], { ports: [port] })
    calls = new Calls({ input: hooked.supervisor.stdin!, output: hooked.output })
  })
  afterEach(async () => {
    await holder?.release()
    holder = undefined
    assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
  })

  it('is reached beside its siblings', async () => {
    for (const name of ['a', 'b', 'c']) await listen(name)
    const listener = await hooked.listening(port)
    assert.equal(await hooked.isReached(reachable(listener.actual)), true)
    assert.deepEqual(hooked.notices('port-shared'), [])
  })

  for (const address of ['0.0.0.0', '127.0.0.1'])
    it(`is not reached while an outsider shares it on ${address}, and is again after that`, async () => {
      await listen('a')
      const listener = await hooked.listening(port)
      const to = reachable(listener.actual)
      holder = await holdPort(port, address, { shared: true })
      assert.equal(await hooked.isReached(to), false)
      await hooked.next('closed', message => message.listener === listener.listener)
      assert.match(await hooked.notice('port-shared'), new RegExp(`\\b${port}\\b`))
      await holder.release()
      await hooked.listening(port)
      assert.equal(await hooked.isReached(to), true)
    })

  it('gets a substitute when an outsider has the port already, so that nothing is shared', async () => {
    holder = await holdPort(port, '0.0.0.0', { shared: true })
    await listen('a')
    assert.match(await hooked.notice('port-substituted'), new RegExp(`\\b${holder.pid}\\b`))
    const listener = await hooked.listening(port)
    assert.notEqual(listener.actual.port, port)
    assert.equal(await hooked.isReached(reachable(listener.actual)), true)
  })
})

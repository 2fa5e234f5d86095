// bind and listen under the hooks: which ports are as asked, which are substituted, and which refuse as ever.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Endpoint } from '../../../protocol/codec.ts'
import { exchange } from '../../stage/callers.ts'
import { Calls } from '../../stage/calls.ts'
import { type Holder, holdPort } from '../../stage/holder.ts'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import { type HookedCommand, reachable } from '../../stage/hooked-command.ts'
import { inAccept, untilState } from '../../stage/process-state.ts'

const inUse = { errno: 'EADDRINUSE' }
const caller = { address: '10.9.8.7', port: 4321 }
const pod = '10.1.2.3'
const pod6 = 'fd00::3'

describe('ports of a hooked process', () => {
  let harness: HookHarness
  let holder: Holder | undefined
  let port = 9100
  let hooked: HookedCommand
  let calls: Calls

  async function start(options: { ports?: number[]; owner?: typeof nobody } = {}): Promise<void> {
    harness = await HookHarness.open(options.owner ?? {})
    hooked = await harness.start(['/usr/bin/python3', `${harness.programs}/calls.py`], {
      ports: options.ports ?? [port],
      addresses: [pod, pod6],
    })
    calls = new Calls({ input: hooked.supervisor.stdin!, output: hooked.output })
  }
  const make = (call: string, name: string, ...rest: unknown[]) => calls.make(call, name, ...rest)

  /** A listener by these calls; the results of bind and listen. */
  async function listen(name: string, address: string, at = port): Promise<unknown[]> {
    await make('socket', name, address.includes(':') ? 'ipv6' : 'ipv4')
    await make('reuseaddr', name)
    return [await make('bind', name, address, at), await make('listen', name)]
  }

  /** Delivers a connection and accepts it; what accept, getpeername and getsockname give. */
  async function deliverTo(name: string, as = { caller, pod: { address: pod, port } }): Promise<unknown> {
    const listener = await hooked.listening(as.pod.port)
    const delivered = hooked.deliver(listener, as, 'hello')
    const seen = [
      await make('accept', name, 'taken'),
      await make('getpeername', 'taken'),
      await make('getsockname', 'taken'),
      await make('recv', 'taken'),
    ]
    await make('close', 'taken')
    await delivered
    return seen
  }

  beforeEach(() => {
    port++
  })
  afterEach(async () => {
    await holder?.release()
    holder = undefined
    assert.deepEqual(await harness.close(), [], 'processes that "end" did not end')
  })

  it('a wanted port that is free is bound as asked', async () => {
    await start()
    assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
    assert.deepEqual(await make('getsockname', 'a'), ['0.0.0.0', port])
    assert.equal(await make('port-in-kernel', 'a'), port)
    assert.deepEqual(await deliverTo('a'), [
      [caller.address, caller.port],
      [caller.address, caller.port],
      [pod, port],
      'hello',
    ])
  })

  for (const [address, held] of [
    ['0.0.0.0', '0.0.0.0'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '0.0.0.0'],
    ['::', '0.0.0.0'],
    ['::', '::'],
  ] as const)
    it(`a wanted port on ${address} that an outsider holds on ${held} gets a substitute, and the notice names the holder`, async () => {
      holder = await holdPort(port, held)
      await start()
      assert.deepEqual(await listen('a', address), [null, null])
      assert.deepEqual(await make('getsockname', 'a'), [address, port])
      const substitute = await make('port-in-kernel', 'a')
      assert.notEqual(substitute, port)
      const notice = await hooked.notice('port-substituted')
      assert.match(notice, new RegExp(`\\b${port}\\b`))
      assert.match(notice, new RegExp(`\\b${holder.pid}\\b`))
      const listener = await hooked.listening(port)
      assert.equal(listener.actual.port, substitute)
      hooked.messages.add(listener)
      const as =
        address === '::'
          ? { caller: { address: 'fd00::9', port: 4321 }, pod: { address: pod6, port } }
          : undefined
      const [accepted, peer, name] = (await deliverTo('a', as)) as unknown[]
      const shown = as?.caller ?? caller
      assert.deepEqual([accepted, peer], [Array(2).fill([shown.address, shown.port])].flat())
      assert.deepEqual(name, [as ? pod6 : pod, port])
    })

  it('a wanted port that the process itself holds is in use', async () => {
    await start()
    await listen('a', '0.0.0.0')
    assert.deepEqual((await listen('b', '0.0.0.0'))[0], inUse)
    assert.equal(await make('fork-bind', 'c', '0.0.0.0', port), 'EADDRINUSE')
  })

  it('a wanted port that the process bound without listening is in use', async () => {
    await start()
    await make('socket', 'a', 'ipv4')
    await make('socket', 'b', 'ipv4')
    assert.equal(await make('bind', 'a', '0.0.0.0', port), null)
    assert.deepEqual(await make('bind', 'b', '0.0.0.0', port), inUse)
  })

  it('a wanted port that was substituted is in use for the next socket of the process', async () => {
    holder = await holdPort(port)
    await start()
    assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
    assert.deepEqual((await listen('b', '0.0.0.0'))[0], inUse)
  })

  it('a second bind of the same socket is refused as ever', async () => {
    await start()
    assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
    assert.deepEqual(await make('bind', 'a', '0.0.0.0', port), { errno: 'EINVAL' })
    await make('socket', 'b', 'ipv4')
    assert.equal(await make('bind', 'b', pod, port + 1), null)
    assert.deepEqual(await make('bind', 'b', pod, port + 2), { errno: 'EINVAL' })
  })

  it('a port that is not wanted is in use when an outsider holds it', async () => {
    holder = await holdPort(port)
    await start({ ports: [port + 500] })
    assert.deepEqual((await listen('a', '0.0.0.0'))[0], inUse)
    assert.deepEqual(hooked.notices('port-substituted'), [])
  })

  it('a port that is not wanted stays private', async () => {
    await start({ ports: [port + 500] })
    assert.deepEqual(await listen('a', '127.0.0.1'), [null, null])
    assert.deepEqual(await listen('b', '127.0.0.1', port + 500), [null, null])
    await hooked.listening(port + 500)
    assert.ok(!hooked.messages.has(message => message.type === 'listening' && message.asked.port === port))
  })

  it('port 0 and a listen without bind are left to the kernel', async () => {
    await start()
    assert.deepEqual(await listen('a', '127.0.0.1', 0), [null, null])
    const [, chosen] = (await make('getsockname', 'a')) as [string, number]
    assert.equal(chosen, await make('port-in-kernel', 'a'))
    await make('socket', 'b', 'ipv4')
    assert.equal(await make('listen', 'b'), null)
    assert.ok(!hooked.messages.has(message => message.type === 'listening'))
  })

  it('SO_REUSEPORT siblings share the substitute', async () => {
    holder = await holdPort(port)
    await start()
    for (const name of ['a', 'b']) {
      await make('socket', name, 'ipv4')
      await make('reuseport', name)
      assert.equal(await make('bind', name, '0.0.0.0', port), null)
      assert.equal(await make('listen', name), null)
    }
    assert.equal(await make('port-in-kernel', 'a'), await make('port-in-kernel', 'b'))
  })

  it('closing and listening again works, on the port asked and on the substitute', async () => {
    await start()
    for (let turn = 0; turn < 3; turn++) {
      assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
      assert.deepEqual(((await deliverTo('a')) as unknown[])[0], [caller.address, caller.port])
      await make('close', 'a')
    }
    holder = await holdPort(port)
    for (let turn = 0; turn < 3; turn++) {
      assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
      assert.deepEqual(((await deliverTo('a')) as unknown[])[0], [caller.address, caller.port])
      await make('close', 'a')
    }
  })

  for (const [address, bound] of [
    [pod, '127.0.0.1'],
    [pod6, '::1'],
  ] as const)
    it(`the pod's own address ${address} becomes ${bound}`, async () => {
      await start()
      assert.deepEqual(await listen('a', address), [null, null])
      assert.deepEqual(await make('getsockname', 'a'), [address, port])
      const listener = await hooked.listening(port)
      assert.deepEqual([listener.asked.address, listener.actual.address], [address, bound])
    })

  it('a port that becomes wanted later counts from then on', async () => {
    await start({ ports: [port + 500] })
    assert.deepEqual(await listen('a', '127.0.0.1'), [null, null])
    await make('close', 'a')
    hooked.send({ type: 'ports', ports: [port] })
    hooked.send({
      type: 'announce',
      announcement: 900,
      source: { address: '127.1.1.1', port: 1 },
      caller,
      pod: caller,
    })
    assert.deepEqual(await listen('a', '127.0.0.1'), [null, null])
    await hooked.listening(port)
  })

  it('an accept that waits when its port becomes wanted shows the caller', async () => {
    await start({ ports: [port + 500] })
    assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
    const seen = make('accept', 'a', 'taken')
    await untilState('accept', () => inAccept(hooked.pid))
    hooked.send({ type: 'ports', ports: [port] })
    const listener = await hooked.listening(port)
    const delivered = hooked.deliver(listener, { caller, pod: { address: pod, port } }, 'hello')
    assert.deepEqual(await seen, [caller.address, caller.port])
    await make('recv', 'taken')
    await make('close', 'taken')
    await delivered
  })

  it('an accept of a port that nobody wants shows the true caller, whether it waits or not', async () => {
    await start({ ports: [port + 500] })
    assert.deepEqual(await listen('a', '127.0.0.1'), [null, null])
    for (const calling of ['before', 'after']) {
      const from = { address: '127.77.1.1', port: calling === 'before' ? 23_001 : 23_002 }
      const waiting = calling === 'after' ? make('accept', 'a', 'taken') : undefined
      if (waiting !== undefined) await untilState('accept', () => inAccept(hooked.pid))
      const own = exchange({ to: { address: '127.0.0.1', port }, from, bytes: 'own' })
      assert.deepEqual(await (waiting ?? make('accept', 'a', 'taken')), [from.address, from.port])
      await make('recv', 'taken')
      await make('close', 'taken')
      await own
    }
  })

  it('a connection that nobody announced, or whose announcement was retracted, shows its own address', async () => {
    await start()
    await listen('a', '0.0.0.0')
    const listener = await hooked.listening(port)
    const from = { address: '127.77.0.1', port: 23_456 }
    await hooked.announce(from, { caller, pod: { address: pod, port } })
    hooked.send({ type: 'retract', announcement: 1 })
    const later = { address: '127.77.0.2', port: 23_456 }
    await hooked.announce(later, { caller, pod: { address: pod, port } })
    const own = exchange({ to: reachable(listener.actual), from, bytes: 'own' })
    assert.deepEqual(await make('accept', 'a', 'taken'), [from.address, from.port])
    assert.deepEqual(await make('getpeername', 'taken'), [from.address, from.port])
    assert.deepEqual(await make('getsockname', 'taken'), ['127.0.0.1', port])
    await make('recv', 'taken')
    await make('close', 'taken')
    await own
  })

  describe('of a program that accepts without an address and asks late', () => {
    const from = { address: '127.79.0.1', port: 23_456 }
    let to: Endpoint
    const connectWith = async (word: string): Promise<Socket> => {
      const socket = connect({
        host: to.address,
        port: to.port,
        localAddress: from.address,
        localPort: from.port,
        allowHalfOpen: true,
      })
      await once(socket, 'connect')
      socket.write(word)
      return socket
    }
    beforeEach(async () => {
      harness = await HookHarness.open()
      hooked = await harness.start([process.execPath, `${harness.programs}/ask-late.mjs`, String(port)], {
        ports: [port],
      })
      to = reachable((await hooked.listening(port)).actual)
      await hooked.announce(from, { caller, pod: { address: pod, port } })
    })
    const asked = () => hooked.output.until('the addresses', line => line.startsWith('asked'))

    it('a later connection from the port of one that is over shows its own address', async () => {
      const first = await connectWith('quiet')
      await hooked.output.until('the first connection', line => line === 'quiet')
      first.resetAndDestroy()
      await hooked.output.until('its end', line => line === 'reset')
      hooked.send({ type: 'retract', announcement: 1 })
      await hooked.announce({ ...from, port: 1 }, { caller, pod: caller }) // the retraction is in force then
      const second = await connectWith('ask')
      assert.equal(await asked(), `asked ${from.address} ${from.port} ${to.address} ${port}`)
      second.destroy()
    })

    it('a connection that it half closed still shows the caller after the server has closed its own side', async () => {
      const socket = await connectWith('half')
      socket.resume()
      await once(socket, 'end')
      hooked.send({ type: 'retract', announcement: 1 })
      await hooked.announce({ ...from, port: 1 }, { caller, pod: caller })
      socket.write('ask')
      assert.equal(await asked(), `asked ${caller.address} ${caller.port} ${pod} ${port}`)
      socket.destroy()
    })

    it('a connection that it made itself to the port of an announcement shows its own addresses', async () => {
      const server = createServer(socket => socket.destroy()).listen(from.port, from.address)
      await once(server, 'listening')
      await exchange({ to, bytes: `connect ${from.address} ${from.port}` })
      server.close()
      assert.ok((await asked()).startsWith(`asked ${from.address} ${from.port} 127.0.0.1 `))
    })
  })

  it('a dual-stack listener shows an IPv4 caller in IPv6 form', async () => {
    await start()
    await listen('a', '::')
    const listener = await hooked.listening(port)
    const source = { address: '127.78.0.1', port: 23_456 }
    await hooked.announce(source, { caller, pod: { address: pod, port } })
    const delivered = exchange({
      to: { address: '127.0.0.1', port: listener.actual.port },
      from: source,
      bytes: 'hello',
    })
    assert.deepEqual(await make('accept', 'a', 'taken'), [`::ffff:${caller.address}`, caller.port])
    assert.deepEqual(await make('getpeername', 'taken'), [`::ffff:${caller.address}`, caller.port])
    assert.deepEqual(await make('getsockname', 'taken'), [`::ffff:${pod}`, port])
    await make('recv', 'taken')
    await make('close', 'taken')
    await delivered
  })

  it('an IPv4 listener shows an IPv6 caller as 192.0.0.8, and a notice says so once', async () => {
    await start()
    assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
    const listener = await hooked.listening(port)
    for (const from of [4321, 4322]) {
      const as = { caller: { address: '2001:db8::7', port: from }, pod: { address: pod6, port } }
      const delivered = hooked.deliver(listener, as, 'hello')
      assert.deepEqual(await make('accept', 'a', 'taken'), ['192.0.0.8', from])
      assert.deepEqual(await make('getpeername', 'taken'), ['192.0.0.8', from])
      assert.deepEqual(await make('getsockname', 'taken'), ['192.0.0.8', port])
      await make('recv', 'taken')
      await make('close', 'taken')
      await delivered
    }
    assert.match(await hooked.notice('caller-address-dummy'), /192\.0\.0\.8/)
    assert.equal(hooked.notices('caller-address-dummy').length, 1)
  })

  it('a non-blocking accept with nothing pending is EAGAIN, and one with SO_RCVTIMEO after that time', async () => {
    await start()
    await listen('a', '0.0.0.0')
    await make('nonblocking', 'a')
    assert.deepEqual(await make('accept', 'a', 'taken'), { errno: 'EAGAIN' })
    await make('socket', 'b', 'ipv4')
    await make('close', 'a')
    await listen('b', '0.0.0.0')
    await make('receive-timeout', 'b', 0.3)
    const begun = performance.now()
    assert.deepEqual(await make('accept', 'b', 'taken'), { errno: 'EAGAIN' })
    const took = performance.now() - begun
    assert.ok(took > 250 && took < 3_000, `accept came back after ${took} ms`)
  })

  it('a privileged port that is wanted is substituted for an ordinary user, another one refused', async () => {
    await start({ ports: [81], owner: nobody })
    assert.deepEqual(await listen('a', '0.0.0.0', 81), [null, null])
    assert.deepEqual(await make('getsockname', 'a'), ['0.0.0.0', 81])
    assert.match(await hooked.notice('port-substituted'), /\b81\b/)
    assert.deepEqual((await listen('b', '0.0.0.0', 82))[0], { errno: 'EACCES' })
  })

  it("a port that another user's program holds is substituted, and the notice names that user", async () => {
    holder = await holdPort(port)
    await start({ owner: nobody })
    assert.deepEqual(await listen('a', '0.0.0.0'), [null, null])
    assert.match(await hooked.notice('port-substituted'), /\buser 0\b/)
  })
})

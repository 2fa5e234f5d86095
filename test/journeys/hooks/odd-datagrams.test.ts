// Datagram calls with arguments that no library gives, and errors that come while a call is held: each is told what the kernel would tell it.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { HookHarness, nobody } from '../../stage/hook-harness.ts'
import type { HookedCommand } from '../../stage/hooked-command.ts'
import { leadHere } from '../../stage/lead-here.ts'
import { Outlets } from '../../stage/outlets.ts'
import { inReceive, untilState } from '../../stage/process-state.ts'

const python = '/usr/bin/python3'
const service = ['198.51.100.7', '5300'] as const
const rules = { tcp: true, udp: true, ignoreLocalhost: false }

const tellerOf =
  (hooked: HookedCommand) =>
  async (call: string): Promise<[number, string | null]> => {
    const is = (line: string) => line.includes(`{"call": "${call}"`)
    const { result, errno }: Told = JSON.parse(await hooked.output.until(`the result of ${call}`, is))
    return [result, errno]
  }

/** Of open files, as most programs begin with; the shell stays, because the limit of the nearest ancestor that is not Node is the command's. */
const underLimits = (argv: readonly string[]) => [
  '/bin/sh',
  '-c',
  'ulimit -Sn 1024 && "$@"; exit $?',
  'sh',
  ...argv,
]

type Told = { call: string; result: number; errno: string | null }

describe('a send of a process that forbids to be read', () => {
  leadHere('198.51.100.0/24')
  it('is refused when it may be the pod’s, and left alone when its address is not of the Internet', async () => {
    const harness = await HookHarness.open(nobody)
    const command = [python, `${harness.programs}/odd-datagrams.py`, 'silent', ...service]
    const hooked = await harness.start(command, { outgoing: rules })
    const told = tellerOf(hooked)
    assert.ok((await told('interfaces'))[0] > 0)
    assert.deepEqual(await told('unix'), [-1, 'ENOENT'])
    for (const size of [16, 128]) assert.deepEqual(await told(`size ${size}`), [-1, 'ENETUNREACH'])
    assert.deepEqual(await harness.close(), [])
  })
})

describe('a send with odd arguments of a process whose supervisor was killed', () => {
  leadHere('198.51.100.0/24')

  it('never leaves from this machine', async () => {
    const harness = await HookHarness.open()
    const command = [python, `${harness.programs}/odd-datagrams.py`, 'orphaned', ...service]
    const hooked = await harness.start(command, { outgoing: rules })
    const told = tellerOf(hooked)
    await told('ready')
    hooked.supervisor.kill('SIGKILL')
    await hooked.ended
    hooked.supervisor.stdin?.write('go on\n')
    for (const call of ['unspecified', 'header', 'name', 'family'])
      assert.deepEqual(await told(call), [-1, 'ENETUNREACH'], call)
    assert.deepEqual(await harness.close(), [])
  })
})

describe('a datagram call with odd arguments', () => {
  leadHere('198.51.100.0/24')
  let harness: HookHarness
  const outlets = new Outlets()
  const clients: Socket[] = []
  beforeEach(async () => {
    harness = await HookHarness.open()
  })
  afterEach(async () => {
    assert.deepEqual(await harness.close(), [])
    outlets.close()
    for (const client of clients.splice(0)) client.close()
  })

  async function start(way: string, ...args: readonly string[]) {
    const command = [python, `${harness.programs}/odd-datagrams.py`, way, ...(args.length ? args : service)]
    const hooked = await harness.start(command, { outgoing: rules, wrap: underLimits })
    const told = tellerOf(hooked)
    return { hooked, told }
  }

  it('of an endless length is EMSGSIZE, and takes what there is', async () => {
    const { hooked, told } = await start('endless')
    const { socket } = await outlets.answer(hooked)
    const said = once(socket, 'message')
    assert.deepEqual(await told('sendto'), [-1, 'EMSGSIZE'])
    assert.deepEqual(await told('again'), [-1, 'EMSGSIZE'])
    assert.deepEqual(await told('short'), [1, null])
    await said
    socket.send('pong')
    assert.deepEqual(await told('recvfrom'), [4, null])
  })

  it('that waits hears of an error', async () => {
    const { hooked, told } = await start('refused')
    const { asked, socket } = await outlets.answer(hooked, { local: { address: '10.1.2.3', port: 50_123 } })
    await once(socket, 'message')
    await untilState('waiting', () => inReceive(hooked.pid))
    await outlets.refuse(hooked, socket, asked)
    assert.deepEqual(await told('recvfrom'), [-1, 'ECONNREFUSED'])
  })

  it('that waits beside an error that stays in the queue costs the supervisor no time', async () => {
    const { told } = await start('queued')
    assert.deepEqual(await told('first'), [-1, 'ECONNREFUSED'])
    assert.deepEqual(await told('second'), [-1, 'EAGAIN'])
    const [ticks] = await told('ticks')
    assert.ok(ticks < 20, `${ticks} hundredths of a second`)
  })

  it('with an address of no family is the pod’s, as it is an IPv4 one to the kernel', async () => {
    const { hooked, told } = await start('unspecified')
    const { asked, socket } = await outlets.answer(hooked)
    assert.deepEqual(asked.to, [{ address: service[0], port: Number(service[1]) }])
    assert.equal(String((await once(socket, 'message'))[0]), 'hello')
    assert.deepEqual(await told('sendto'), [5, null])
  })

  it('with a longer address than any is refused, or cut, as the kernel does it, without a notice', async () => {
    const { hooked, told } = await start('long')
    const { socket } = await outlets.answer(hooked)
    assert.equal(String((await once(socket, 'message'))[0]), 'hello')
    for (const call of ['sendto', 'negative', 'below']) assert.deepEqual(await told(call), [-1, 'EINVAL'])
    assert.deepEqual(await told('sendmsg'), [5, null])
    assert.deepEqual(
      hooked.messages.all.filter(({ type }) => type === 'notice'),
      [],
    )
  })

  it('that names many sends those before the first that cannot be sent, from the pod', async () => {
    const { hooked, told } = await start('many')
    const { socket } = await outlets.answer(hooked)
    const heard: string[] = []
    socket.on('message', said => heard.push(String(said)))
    for (const call of ['header', 'name', 'family']) assert.deepEqual(await told(call), [1, null], call)
    await untilState('three datagrams', () => heard.length === 3)
  })

  it('that a signal ends keeps no port busy', async () => {
    const { told } = await start('rebinding')
    assert.deepEqual(await told('bind'), [5, null])
  })

  it('that copies a socket to a number past the limit is EINVAL', async () => {
    const { told } = await start('past')
    for (const call of ['limit', 'past', 'below']) assert.deepEqual(await told(call), [-1, 'EINVAL'], call)
  })

  it('has numbers enough in a process that has raised its limit of open files itself', async () => {
    const { told } = await start('raised')
    assert.deepEqual(await told('raised'), [600, null])
  })

  it('makes a socket away from the numbers that other files come near to, where there are some', async () => {
    const { told } = await start('crowded')
    const number = async (call: string) => (await told(call))[0]
    const [before, crowded, after] = [await number('before'), await number('crowded'), await number('after')]
    assert.ok(before < 1024 && crowded > 2048 && after < 1024, JSON.stringify({ before, crowded, after }))
  })

  for (const address of ['127.0.0.1', '0.0.0.0'])
    it(`of a server on this machine at ${address} reaches a client that is connected to it`, async () => {
      const { hooked, told } = await start('answering', address, '0')
      const client = createSocket('udp4')
      clients.push(client)
      const [port] = await told('bound')
      await new Promise<void>(done => client.connect(port, '127.0.0.1', () => done()))
      const heard: string[] = []
      client.on('message', said => heard.push(String(said)))
      client.send('ping')
      assert.deepEqual(
        [await told('answer'), await told('again')],
        [
          [4, null],
          [5, null],
        ],
      )
      await untilState('both answers', () => heard.length === 2)
      assert.deepEqual(heard, ['pong', 'again'])
      assert.deepEqual(
        hooked.messages.all.filter(({ type }) => type === 'outlets'),
        [],
      )
    })
})

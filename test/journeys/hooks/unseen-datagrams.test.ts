// UDP sockets that leave the numbers they were made with, watched from the cable by which this machine would reach the world: what the hooks do not
// see of them goes nowhere, and what they see goes where it did.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { OutgoingRules } from '../../../protocol/hook/messages.ts'
import { compile } from '../../stage/compile-programs.ts'
import { HookHarness, type StartOptions } from '../../stage/hook-harness.ts'
import { Outlets } from '../../stage/outlets.ts'
import { layWire, wire } from '../../stage/wire.ts'

const python = '/usr/bin/python3'
const port = 5300
const rules: OutgoingRules = { tcp: true, udp: true, ignoreLocalhost: false }
/** What is beyond the cable and at its other end stays here. */
const filter = {
  side: 'local' as const,
  entries: ['198.51.100.0/24', '[2001:db8::]/32', '10.78.0.0/24'],
  learned: [],
}

type Told = {
  way: string
  result: number | string
  errno?: string
  number?: number
  own?: string
  interface?: string | null
}

describe('a UDP socket that left the numbers of its process', () => {
  const { left } = layWire()
  let harness: HookHarness
  const outlets = new Outlets()
  const receivers: Socket[] = []
  beforeEach(async () => {
    harness = await HookHarness.open()
  })
  afterEach(async () => {
    assert.deepEqual(await harness.close(), [])
    outlets.close()
    for (const receiver of receivers.splice(0)) receiver.close()
  })

  async function start(command: readonly string[], outgoing = rules, options: StartOptions = {}) {
    const hooked = await harness.start(command, { outgoing, ...options })
    let count = 0
    const told = async (): Promise<Told> => {
      count += 1
      await hooked.output.untilCount('results', count, line => line.startsWith('{'))
      return JSON.parse(hooked.output.all.filter(line => line.startsWith('{'))[count - 1]!)
    }
    const tell = (way: string, address: string, at = port) => {
      hooked.supervisor.stdin?.write(`${way} ${address} ${at}\n`)
      return told()
    }
    const send = async (...args: Parameters<typeof tell>) => (await tell(...args)).result
    return { hooked, told, tell, send }
  }

  const moving = (outgoing?: OutgoingRules) =>
    start([python, `${harness.programs}/unseen-datagrams.py`], outgoing)

  async function receiver(address: string) {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    receivers.push(socket)
    socket.bind(0, address)
    await once(socket, 'listening')
    return {
      at: socket.address().port,
      heard: () => once(socket, 'message').then(([said, from]) => [String(said), from.address]),
    }
  }

  const ways = ['copied', 'passed', 'fetched', 'child']
  const addresses = [wire.beyond.four, wire.neighbour.four, `::ffff:${wire.beyond.four}`]
  for (const way of ways)
    it(`sends nothing out of this machine (${way})`, async () => {
      const { send } = await moving()
      for (const address of addresses) assert.equal(await send(way, address), `${way} ${address}`.length)
      for (const address of [wire.beyond.six, wire.neighbour.six])
        assert.equal(await send(way, address), 'ENETUNREACH')
      assert.deepEqual(await left(`after ${way}`), [])
    })

  it('sends nothing out of this machine where it passes on what is for others', async () => {
    const switches = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding']
    const before = switches.map(path => readFileSync(path, 'utf8'))
    for (const path of switches) writeFileSync(path, '1')
    try {
      const { send } = await moving()
      for (const address of [...addresses, wire.beyond.six]) await send('copied', address)
      assert.deepEqual(await left('after forwarding'), [])
    } finally {
      for (const [index, path] of switches.entries()) writeFileSync(path, before[index]!)
    }
  })

  it('sends nothing out of this machine by sendmsg and sendmmsg of C', async () => {
    const command = [compile('unseen-datagrams.c', 'c'), wire.beyond.four, wire.beyond.six, String(port)]
    const { told } = await start(command)
    const mapped = `::ffff:${wire.beyond.four}`
    for (const address of [wire.beyond.four, wire.beyond.six, mapped])
      for (const [call, result] of [
        ['sendmsg', address.length],
        ['sendmmsg', 2],
      ] as const) {
        const is = address === wire.beyond.six ? { result: -1, errno: 'ENETUNREACH' } : { result, errno: '' }
        assert.deepEqual(await told(), { way: `${call} ${address}`, ...is })
      }
    assert.deepEqual(await left('after C'), [])
  })

  for (const [family, result] of [
    ['four', 'sent'],
    ['six', 'ENETUNREACH'],
  ] as const)
    it(`sends nothing out of this machine in a worker of Node’s cluster, to ${wire.beyond[family]}`, async () => {
      const program = `${harness.programs}/cluster-datagrams.mjs`
      const { told } = await start([process.execPath, program, wire.beyond[family], String(port)])
      const { result: got, number } = await told()
      assert.equal(got, result)
      assert.ok(number !== undefined && number < 500, `${number}`)
      assert.deepEqual(await left(`after the cluster ${family}`), [])
    })

  it('reaches loopback and multicast groups', async () => {
    const { send } = await moving()
    for (const [address, from] of [
      ['127.0.0.1', '127.0.0.1'],
      ['::1', '::1'],
    ] as const) {
      const { at, heard } = await receiver(address)
      const said = heard()
      await send('copied', address, at)
      assert.deepEqual(await said, [`copied ${address}`, from])
    }
    await send('copied', '239.1.2.3')
    assert.deepEqual(
      (await left('after multicast')).map(({ to }) => to),
      ['239.1.2.3'],
    )
  })

  it('was let out when it is seen to send to what stays here, with this machine’s addresses', async () => {
    const { send } = await moving({ ...rules, filter })
    const out = [wire.beyond.four, wire.neighbour.four, wire.beyond.six, wire.broadcast]
    for (const address of out) assert.equal(await send('seen', address), `seen ${address}`.length)
    const from = (to: string) => (to.includes(':') ? wire.ours.six : wire.ours.four)
    assert.deepEqual(
      await left('after those that stay'),
      out.map(to => ({ to, from: from(to), payload: `seen ${to}` })),
    )
  })

  for (const way of ['seen', 'connected'])
    it(`reaches this machine’s own addresses by them (${way})`, async () => {
      const { tell } = await moving()
      for (const address of Object.values(wire.ours)) {
        const { at, heard } = await receiver(address)
        const said = heard()
        const { own } = await tell(way, address, at)
        assert.deepEqual(await said, [`${way} ${address}`, address])
        if (way === 'connected') assert.equal(own, address)
      }
      assert.deepEqual(await left(`after own addresses ${way}`), [])
    })

  it('keeps the interface that its process has chosen', async () => {
    const { tell } = await moving({ ...rules, filter })
    assert.equal((await tell('seen', wire.beyond.four)).interface, null)
    assert.equal((await tell('chosen', wire.beyond.four)).interface, wire.device)
    assert.equal((await left('after the chosen interface')).length, 2)
  })

  it('that a command inherits is told of', async () => {
    const wrap = (argv: readonly string[]) => [
      '/bin/bash',
      '-c',
      'exec 20<>/dev/udp/127.0.0.1/9 && exec "$@"',
      'bash',
      ...argv,
    ]
    const { hooked } = await start(['/bin/true'], rules, { wrap })
    assert.match(await hooked.notice('datagram-socket-inherited'), /\(descriptor 20\)/)
  })
})

// What the live view shows of datagrams that a process sends: to whom and why, what the network refuses, the counts at the end, and what stays here.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import {
  stopTraffic,
  streamTraffic,
  type TrafficEvent,
  trafficEvents,
} from '../../../protocol/rpc/traffic.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const mark = markRun()
const servicePort = 9000
const rule = 'no filter keeps it here'
const of = <E extends TrafficEvent['event']>(events: readonly TrafficEvent[], event: E) =>
  events.filter((one): one is TrafficEvent & { event: E } => one.event === event)

describe('a view of datagrams', () => {
  let reaching: Reaching
  let local: Socket
  let events: TrafficEvent[]
  let marks: ReturnType<typeof linesOf>
  let trafficId: string
  before(async () => {
    const service = ['python3', programOf('echo-datagrams.py'), '::', String(servicePort)] as const
    reaching = await startReaching(mark.environment, service)
    reaching.backend.connection.on(trafficEvents, batch => {
      for (const event of batch.events) {
        events.push(event)
        marks.add(event.event)
      }
    })
    local = createSocket('udp4')
    local.bind(0, '127.0.0.1')
    await once(local, 'listening')
  })
  after(async () => {
    local?.close()
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })
  beforeEach(async () => {
    events = []
    marks = linesOf()
    const { backend, sessionId } = reaching
    const wish = { sessionId, credit: 100, directions: ['outgoing' as const] }
    ;({ trafficId } = await backend.connection.request(streamTraffic, wish))
  })
  afterEach(async () => {
    await reaching.backend.connection.request(stopTraffic, { trafficId })
  })

  async function python(code: string): Promise<string> {
    const { backend, sessionId } = reaching
    const command = ['python3', '-c', `import socket\n${code}`]
    const { processId } = await backend.connection.request(launch, { sessionId, command, stdin: 'pipe' })
    return processId
  }
  const ended = (count = 1) => marks.untilCount('ends', count, event => event === 'outgoingClosed')

  it('shows each peer of a socket with its rule, and its datagrams and bytes each way when the socket is gone', async () => {
    const { first, second } = reaching.pod.cable
    await python(`
made = socket.socket(type=socket.SOCK_DGRAM)
for text in (b"hello", b"again!"):
    made.sendto(text, ("${second.ipv4}", ${servicePort}))
    made.recv(100)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
six.connect(("${second.ipv6}", ${servicePort}))
six.send(b"elsewhere")
six.send(b"hello")
six.recv(100)`)
    await ended(2)
    const opened = of(events, 'outgoingOpened')
    const shown = { protocol: 'udp', rule, joined: false }
    const four = { ...shown, to: { address: second.ipv4, port: servicePort } }
    const six = { ...shown, to: { address: second.ipv6, port: servicePort } }
    assert.deepEqual(
      opened.map(({ protocol, to, rule, joined }) => ({ protocol, to, rule, joined })),
      [four, six],
    )
    assert.deepEqual(
      opened.map(({ local }) => local?.address),
      [undefined, first.ipv6],
    )
    const closed = of(events, 'outgoingClosed')
    assert.deepEqual(
      closed.map(({ connection, sent, datagrams }) => [
        connection,
        sent,
        datagrams?.sent,
        datagrams?.received,
      ]),
      [
        [opened[0]!.connection, 11, 2, 2],
        [opened[1]!.connection, 14, 2, 1],
      ],
    )
    assert.ok(closed[0]!.received > 2 * first.ipv4.length)
  })

  it('tells once that the network refuses, however often, and of a flow that was there before with "joined"', async () => {
    const { ipv4 } = reaching.pod.cable.second
    const processId = await python(`
made = socket.socket(type=socket.SOCK_DGRAM)
made.connect(("${ipv4}", ${servicePort + 1}))
made.settimeout(10)
for _ in range(3):
    try:
        made.send(b"x")
        made.recv(10)
    except ConnectionRefusedError:
        print("refused", flush=True)
input()`)
    const output = reaching.backend.output(processId)
    await output.untilCount('refusals', 3, line => line === 'refused')
    await marks.until('what the network said', event => event === 'outgoingUndelivered')
    const to = { address: ipv4, port: servicePort + 1 }
    const undelivered = of(events, 'outgoingUndelivered')
    assert.deepEqual(
      undelivered.map(({ to, errno }) => [to, errno]),
      [[to, 'ECONNREFUSED']],
    )
    const { connection } = reaching.backend
    await connection.request(stopTraffic, { trafficId })
    events.length = 0
    const wish = { sessionId: reaching.sessionId, credit: 100 }
    ;({ trafficId } = await connection.request(streamTraffic, wish))
    await connection.request(writeProcess, { processId, data: '\n', end: true })
    await ended()
    assert.deepEqual(of(events, 'outgoingUndelivered'), [])
    const [opened] = of(events, 'outgoingOpened')
    assert.deepEqual([opened!.joined, opened!.to], [true, to])
    assert.ok(of(events, 'outgoingClosed')[0]!.datagrams!.undelivered >= 1)
  })

  it('shows what stays on this machine once for each address, by either way to send', async () => {
    const { port } = local.address()
    await python(`
made = socket.socket(type=socket.SOCK_DGRAM)
for _ in range(3): made.sendto(b"hello", ("127.0.0.1", ${port}))
other = socket.socket(type=socket.SOCK_DGRAM)
other.connect(("127.0.0.1", ${port}))
other.send(b"hello")
made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
other = socket.socket(type=socket.SOCK_DGRAM)
other.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
other.connect(("239.255.1.1", 5000))
made.sendto(b"last", ("${reaching.pod.cable.second.ipv4}", ${servicePort}))
made.recv(100)`)
    await ended()
    assert.deepEqual(
      of(events, 'outgoingStayed').map(({ protocol, to, rule }) => [protocol, to.address, to.port, rule]),
      [
        ['udp', '127.0.0.1', port, 'something listens there'],
        ['udp', '239.255.1.1', 5000, 'datagrams for many stay here'],
      ],
    )
  })

  it('shows nothing of a socket that connects only to learn its way', async () => {
    const { ipv4 } = reaching.pod.cable.second
    await python(`
for port in (80, 0):
    made = socket.socket(type=socket.SOCK_DGRAM)
    made.connect(("${ipv4}", port))
    made.getsockname()
made = socket.socket(type=socket.SOCK_DGRAM)
made.sendto(b"last", ("${ipv4}", ${servicePort}))
made.recv(100)`)
    await ended()
    assert.deepEqual(
      events.map(({ event }) => event),
      ['outgoingOpened', 'outgoingClosed'],
    )
  })
})

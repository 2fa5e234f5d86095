// What the live view shows of connections that a process makes: where to and why, what is asked and answered, what is refused, and the end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from '../../../protocol/programs.ts'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import {
  creditTraffic,
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

describe('a view of what leaves', () => {
  let reaching: Reaching
  const events: TrafficEvent[] = []
  const marks = linesOf()
  before(async () => {
    const service = [process.execPath, programOf('http-service.mjs'), String(servicePort)] as const
    reaching = await startReaching(mark.environment, [...service])
    reaching.backend.connection.on(trafficEvents, batch => {
      for (const event of batch.events) {
        events.push(event)
        marks.add(event.event)
      }
    })
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function ends(command: string[]): Promise<void> {
    const { backend, sessionId } = reaching
    const { processId } = await backend.connection.request(launch, { sessionId, command })
    await backend.exitOf(processId)
  }
  const of = <E extends TrafficEvent['event']>(event: E) =>
    events.filter((one): one is TrafficEvent & { event: E } => one.event === event)

  it('shows a request that a program makes, with its answer, the bytes of both and the rule', async () => {
    const { backend, sessionId, pod } = reaching
    const { ipv4 } = pod.cable.second
    const { trafficId } = await backend.connection.request(streamTraffic, {
      ...{ sessionId, credit: 100, bodyBytes: 1_000 },
    })
    await ends(['curl', '-sS', '--max-time', '20', `http://${ipv4}:${servicePort}/stock`])
    await marks.until('the end', event => event === 'outgoingClosed')
    const [opened] = of('outgoingOpened')
    const [request] = of('request')
    const [response] = of('response')
    const [closed] = of('outgoingClosed')
    const { connection } = opened!
    assert.deepEqual(
      [opened!.to, opened!.local?.address, opened!.rule, opened!.joined],
      [{ address: ipv4, port: servicePort }, pod.cable.first.ipv4, 'no filter keeps it here', false],
    )
    assert.deepEqual([request!.connection, request!.method, request!.path], [connection, 'GET', '/stock'])
    assert.deepEqual([response!.connection, response!.side, response!.status], [connection, 'service', 200])
    assert.equal(response!.body?.data, `/stock from ${pod.cable.first.ipv4}\n`)
    assert.deepEqual([closed!.connection, closed!.reason], [connection, undefined])
    assert.ok(closed!.sent > 50 && closed!.received > 50, JSON.stringify(closed))
    await backend.connection.request(creditTraffic, { trafficId, credit: 100 })

    await ends(['curl', '-sS', '--max-time', '20', `http://${ipv4}:${servicePort + 1}/`])
    await marks.until('the refusal', event => event === 'outgoingFailed')
    const [failed] = of('outgoingFailed')
    assert.deepEqual([failed!.errno, failed!.to.port], ['ECONNREFUSED', servicePort + 1])
    await backend.connection.request(stopTraffic, { trafficId })
  })

  it('shows a connection that was there before with "joined", and its reset', async () => {
    const { backend, sessionId, pod } = reaching
    const code = `
import socket, struct, sys
made = socket.create_connection(("${pod.cable.second.ipv4}", ${servicePort}), 20)
made.sendall(b"GET / HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n")
made.recv(65536)
print("stands", flush=True)
sys.stdin.readline()
made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
made.close()`
    const { processId } = await backend.connection.request(launch, {
      ...{ sessionId, command: ['python3', '-c', code], stdin: 'pipe' as const },
    })
    await backend.output(processId).until('the connection', line => line === 'stands')
    events.length = 0
    const { trafficId } = await backend.connection.request(streamTraffic, {
      ...{ sessionId, credit: 100, directions: ['outgoing' as const] },
    })
    await backend.connection.request(writeProcess, { processId, data: '\n', end: true })
    await marks.untilCount('ends', 2, event => event === 'outgoingClosed')
    assert.deepEqual(
      [of('outgoingOpened')[0]!.joined, of('outgoingClosed')[0]!.reason, events.length],
      [true, 'ECONNRESET', 2],
    )
    await backend.connection.request(stopTraffic, { trafficId })
  })

  it('shows what stays on this machine with the reason, and nothing of a socket that only learns its way', async () => {
    const { backend, sessionId, pod } = reaching
    events.length = 0
    const { trafficId } = await backend.connection.request(streamTraffic, {
      ...{ sessionId, credit: 100, directions: ['outgoing' as const] },
    })
    const code = `
import socket
socket.socket(type=socket.SOCK_DGRAM).connect(("127.0.0.1", 9))
try: socket.create_connection(("127.0.0.1", ${pod.port}))
except ConnectionRefusedError: pass`
    await ends(['python3', '-c', code])
    await marks.until('what stayed', event => event === 'outgoingStayed')
    assert.equal(events.length, 1)
    assert.deepEqual(of('outgoingStayed').map(({ to, rule }) => [to, rule])[0], [
      { address: '127.0.0.1', port: pod.port },
      "the process's own port, and nothing listens there yet",
    ])
    await backend.connection.request(stopTraffic, { trafficId })
  })

  it('is told by exec --connections, from the first connection on', async () => {
    const { pod } = reaching
    const { ipv4 } = pod.cable.second
    const url = `http://${ipv4}:${servicePort}/stock`
    const args = ['exec', '-t', pod.target, '--connections', '--', 'curl', '-sS', '--max-time', '20', url]
    const child = spawn(process.execPath, [programPath('standin'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: mark.environment,
    })
    const stderr = linesOf(child.stderr)
    await once(child, 'close')
    const told = stderr.all.filter(line => /connected|ended/.test(line))
    assert.deepEqual(told, [
      `standin: out0: connected to ${ipv4}:${servicePort} from the pod: no filter keeps it here`,
      ...told.slice(1),
    ])
    assert.match(told[1]!, /^standin: out0: ended, \d+ bytes sent, \d+ received$/)
  })
})

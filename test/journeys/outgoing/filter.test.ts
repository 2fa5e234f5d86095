// What a filter keeps here and what it sends to the pod, shown by an address that answers in both worlds.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { promisify } from 'node:util'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const run = promisify(execFile)
const mark = markRun()
const ports = [9000, 9001] as const
const echo = (port: number) => ['python3', programOf('echo-service.py'), '::', String(port)] as const
/** Makes the addresses of the pod's network this machine's as well, at no interface that has them. */
const routes = [
  ['-4', '10.77.0.0/24'],
  ['-6', 'fd77::/64'],
].map(
  ([family, range]) =>
    (verb: string) =>
      run('ip', [family!, 'route', verb, 'local', range!, 'dev', 'lo']),
)

describe('a filter of outgoing connections', () => {
  let reaching: Reaching
  const here: Server[] = []
  let four: string
  let six: string
  before(async () => {
    for (const route of routes) await route('add')
    for (const port of ports) {
      const server = createServer(socket => socket.end('this machine'))
      here.push(server)
      await new Promise<void>(resolve => server.listen(port, '::', resolve))
    }
    reaching = await startReaching(mark.environment, [...echo(ports[0])])
    const [program, ...args] = echo(ports[1])
    const second = reaching.pod.callers.spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    await linesOf(second.stdout).until('the second service listening', line => line === 'listening')
    four = reaching.pod.cable.second.ipv4
    six = reaching.pod.cable.second.ipv6
  })
  after(async () => {
    await reaching?.end()
    for (const server of here) server.close()
    for (const route of routes) await route('del')
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  /** Who answers a hooked program at each of these, in a session with that filter: "pod", "here", or an errno. */
  async function answers(filter: object, to: readonly [string, number][]): Promise<string[]> {
    const { backend, pod } = reaching
    const config = { feature: { network: { outgoing: { filter } } } }
    const { sessionId } = await backend.connection.request(startSession, { target: pod.target, config })
    const command = ['python3', programOf('connect.py'), 'blocking']
    const { processId } = await backend.connection.request(launch, { sessionId, command, stdin: 'pipe' })
    const output = backend.output(processId)
    const data = to.map(([address, port]) => `${address} ${port}\n`).join('')
    await backend.connection.request(writeProcess, { processId, data, end: true })
    await output.untilCount('results', to.length, line => line.startsWith('{'), 30_000)
    await backend.connection.request(stopSession, { sessionId })
    return output.all
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line))
      .map(({ answer, errno }) => errno ?? (answer === 'this machine' ? 'here' : 'pod'))
  }

  it('sends all to the pod when there is none', async () => {
    assert.deepEqual(
      await answers({ local: '192.0.2.1' }, [
        [four, 9000],
        [six, 9001],
      ]),
      ['pod', 'pod'],
    )
  })

  it('keeps an address here, or sends it alone to the pod', async () => {
    assert.deepEqual(
      await answers({ local: [four] }, [
        [four, 9000],
        [six, 9000],
      ]),
      ['here', 'pod'],
    )
    assert.deepEqual(
      await answers({ remote: [four] }, [
        [four, 9000],
        [six, 9000],
      ]),
      ['pod', 'here'],
    )
  })

  it('does so by range, IPv4 and IPv6, and by an IPv4 address that an IPv6 socket connects to', async () => {
    const to: [string, number][] = [
      [four, 9000],
      [`::ffff:${four}`, 9000],
      [six, 9000],
    ]
    assert.deepEqual(await answers({ remote: ['10.77.0.0/16'] }, to), ['pod', 'pod', 'here'])
    assert.deepEqual(await answers({ local: ['[fd77::]/16'] }, to), ['pod', 'pod', 'here'])
  })

  it('does so by port and by protocol', async () => {
    const to: [string, number][] = [
      [four, 9000],
      [four, 9001],
    ]
    assert.deepEqual(await answers({ remote: [':9001'] }, to), ['here', 'pod'])
    assert.deepEqual(await answers({ local: [`tcp://${four}:9001`] }, to), ['pod', 'here'])
    assert.deepEqual(await answers({ remote: [`udp://${four}`] }, to), ['here', 'here'])
  })

  it('decides for a loopback port that it names, and for no other', async () => {
    const to: [string, number][] = [
      ['127.0.0.1', 9000],
      ['127.0.0.1', 9001],
      ['::1', 9001],
    ]
    // Nothing listens on loopback in the pod.
    const refused = 'ECONNREFUSED'
    assert.deepEqual(await answers({ remote: ['localhost:9001'] }, to), ['here', refused, refused])
    assert.deepEqual(await answers({ remote: [':9001'] }, to), ['here', 'here', 'here'])
  })
})

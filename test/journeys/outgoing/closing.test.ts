// What is said before a socket is closed arrives whole, over TCP and Unix sockets, each way: also when nobody reads at that moment.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { forwardPort } from '../../../protocol/rpc/ports.ts'
import { launch } from '../../../protocol/rpc/processes.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const mark = markRun()
const config = { feature: { network: { outgoing: { unix_streams: ['^@closing-'] } } } }
const times = 5

describe('what is said before a socket is closed', () => {
  let reaching: Reaching
  before(async () => {
    const service = ['python3', programOf('echo-service.py'), '::', '9000'] as const
    reaching = await startReaching(mark.environment, service, { config })
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function serve(at: string, way: 'tells' | 'hears', size: number) {
    const command = ['python3', programOf('say-and-close.py'), at, way, String(size)] as const
    const { namespace, callers } = reaching.pod
    const child = (at.startsWith('@') ? namespace : callers).spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = linesOf(child.stdout)
    await lines.until('the service listening', line => line === 'listening')
    return lines
  }

  async function run(at: string, way: 'says' | 'hears', size: number): Promise<readonly string[]> {
    const { backend, sessionId } = reaching
    const command = ['python3', programOf('hear-or-say.py'), at, way, String(size), String(times)]
    const { processId } = await backend.connection.request(launch, { sessionId, command })
    assert.equal((await backend.exitOf(processId, 60_000)).code, 0)
    return backend.output(processId).all
  }

  const repeated = (line: string): string[] => Array.from({ length: times }, () => line)
  let port = 9100
  for (const size of [20, 100_000, 1_000_000, 4_000_000])
    for (const kind of ['a Unix socket', 'TCP']) {
      const places = (name: string) => {
        port += 1
        const { ipv4 } = reaching.pod.cable.second
        return kind === 'TCP'
          ? { far: String(port), near: `${ipv4}:${port}` }
          : { far: `@closing-${name}-${size}`, near: `@closing-${name}-${size}` }
      }

      it(`by the pod over ${kind} arrives: ${size} bytes`, async () => {
        const { far, near } = places('tells')
        await serve(far, 'tells', size)
        assert.deepEqual(await run(near, 'hears', size), repeated(`heard ${size}`))
      })

      it(`by a process over ${kind} arrives: ${size} bytes`, async () => {
        const { far, near } = places('hears')
        const lines = await serve(far, 'hears', size)
        await run(near, 'says', size)
        await lines.untilCount('ends', times, line => line.startsWith('heard'), 20_000)
        assert.deepEqual(lines.all.slice(1), repeated(`heard ${size}`))
      })
    }

  it('by the pod over a Unix socket arrives through a forward', async () => {
    await serve('@closing-forward', 'tells', 1_000_000)
    const { local } = await reaching.backend.connection.request(forwardPort, {
      sessionId: reaching.sessionId,
      local: { port: 0 },
      remote: { path: '@closing-forward' },
    })
    assert.ok('port' in local)
    for (let time = 0; time < times; time++) {
      const socket = connect(local.port, '127.0.0.1')
      let count = 0
      socket.on('data', part => {
        count += part.length
      })
      await once(socket, 'end')
      assert.equal(count, 1_000_000)
    }
  })
})

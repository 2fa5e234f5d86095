// Programs that connect Unix sockets which keep message boundaries to the pod's: each message arrives as it was sent, both ways.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { launch } from '../../../protocol/rpc/processes.ts'
import { streamTraffic, trafficEvents } from '../../../protocol/rpc/traffic.ts'
import { inPod, inSession } from '../../stage/compared.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { makeOwnRoot, type OwnRoot } from '../../stage/own-root.ts'
import { programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const folder = `/run/standin-test-${process.pid}`
const echo = `${folder}/messages.sock`
const stream = `${folder}/stream.sock`
const dead = `${folder}/dead.sock`
const abstract = '@standin-test-messages'
const config = { feature: { network: { outgoing: { unix_streams: [`^${folder}/`, `^${abstract}$`] } } } }

describe('a program that connects a Unix socket of SOCK_SEQPACKET to one of the pod', () => {
  let run: ReturnType<typeof markRun>
  let reaching: Reaching
  let root: OwnRoot
  beforeEach(async () => {
    run = markRun()
    root = makeOwnRoot()
    mkdirSync(dirname(root.outside(echo)), { recursive: true })
    const service = ['python3', programOf('echo-service.py'), '::', '9000'] as const
    reaching = await startReaching(run.environment, service, { command: root.command, config })
    await serve('seqpacket-echo.py', root.outside(echo))
    await serve('seqpacket-echo.py', abstract)
    await serve('unix-echo.py', root.outside(stream))
  })
  afterEach(async () => {
    await reaching?.end()
    root?.remove()
    await untilNothing('processes of standin', () => processesOf(run.value))
  })

  async function serve(program: string, name: string): Promise<void> {
    const child = reaching.pod.namespace.spawn('python3', [programOf(program), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(child.stdout).until('"listening"', line => line === 'listening')
  }

  const command = (way: string, name: string) => ['python3', programOf('seqpacket.py'), way, name]
  const pidOf = (name: string) => processesOf(run.value).find(({ program }) => program === name)!.pid
  const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

  for (const way of ['sizes', 'many', 'larger', 'closed', 'refused'])
    it(`hears what it would hear inside of the pod (${way})`, async () => {
      const expected = await inPod(reaching, command(way, abstract))
      assert.deepEqual(await inSession(reaching, command(way, abstract)), expected)
      assert.equal(expected.code, 0)
    })

  it('reaches it by its path, and hears the errors of the pod', async () => {
    const { code, lines } = await inSession(reaching, command('sizes', echo))
    assert.deepEqual([code, lines.includes(`own '' peer '${echo}'`)], [0, true], lines.join('\n'))
    assert.deepEqual(lines.filter(line => line.endsWith('True')).length, 8)
    assert.ok(lines.includes("b'8 messages' None"))
    const refusals = async (name: string) => (await inSession(reaching, command('refused', name))).lines
    assert.deepEqual(await refusals(stream), ['EPROTOTYPE', 'connected'])
    assert.deepEqual(await refusals(echo), ['EPROTOTYPE', 'connected'])
    assert.deepEqual(await refusals(`${folder}/nothing.sock`), ['ENOENT', 'ENOENT'])
    const script =
      'import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(sys.argv[1])'
    const child = reaching.pod.namespace.spawn('python3', ['-c', script, root.outside(dead)])
    await once(child, 'exit')
    assert.deepEqual(await refusals(dead), ['ECONNREFUSED', 'ECONNREFUSED'])
  })

  it('shows in the live view with the bytes of its messages', async () => {
    const { backend, sessionId } = reaching
    const seen = linesOf()
    backend.connection.on(trafficEvents, ({ events }) => {
      for (const event of events) seen.add(JSON.stringify(event))
    })
    await backend.connection.request(streamTraffic, { sessionId, credit: 100 })
    await inSession(reaching, command('larger', echo))
    // And "1 messages".
    const closed = await seen.until('its end', line => line.includes('outgoingClosed'))
    assert.match(closed, /"sent":300000,"received":300010/)
  })

  for (const name of ['relay', 'agent'])
    it(`hears an end when the ${name} is killed`, async () => {
      const { backend, sessionId } = reaching
      const started = { sessionId, command: command('idle', abstract) }
      const { processId } = await backend.connection.request(launch, started)
      await backend.output(processId).until('an answer', line => line === 'hello')
      process.kill(pidOf(name), 'SIGKILL')
      assert.equal((await backend.exitOf(processId, 30_000)).code, 0)
      assert.deepEqual(backend.output(processId).all, ['hello', 'None', 'True'])
    })

  it('leaves no descriptor in the agent and the relay', async () => {
    await inSession(reaching, command('many', abstract))
    const before = ['agent', 'relay'].map(name => descriptors(pidOf(name)))
    for (const way of ['many', 'closed', 'sizes']) await inSession(reaching, command(way, abstract))
    await untilNothing('descriptors', () =>
      ['agent', 'relay'].filter((name, index) => descriptors(pidOf(name)) > before[index]! + 2),
    )
  })
})

// What becomes of forwards when something between the two ends fails: a wait, or a reset, and never a port that stays behind.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../../protocol/codec.ts'
import type { PodEnd } from '../../../protocol/rpc/port-ends.ts'
import { closePort, forwardPort } from '../../../protocol/rpc/ports.ts'
import { stopSession } from '../../../protocol/rpc/sessions.ts'
import { exchange, several } from '../../stage/callers.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { programOf } from '../../stage/pod.ts'
import { untilState } from '../../stage/process-state.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const servicePort = 9000

describe('a forward, when', () => {
  let run: ReturnType<typeof markRun>
  let reaching: Reaching
  beforeEach(async () => {
    run = markRun()
    reaching = await startReaching(run.environment, [
      ...(['python3', programOf('echo-service.py'), '::', String(servicePort)] as const),
    ])
  })
  afterEach(async () => {
    reaching.backend.child.stdin?.end()
    await reaching.pod.end()
    await untilNothing('processes of standin', () => processesOf(run.value))
  })

  const pidOf = (name: string) => processesOf(run.value).find(({ program }) => program === name)!.pid
  const isReset = { code: 'ECONNRESET' }
  const isRefused = { code: 'ECONNREFUSED' }

  async function forward(remote?: PodEnd) {
    const { backend, sessionId, pod } = reaching
    const { portId, local } = await backend.connection.request(forwardPort, {
      ...{ sessionId, remote: remote ?? { host: pod.cable.second.ipv4, port: servicePort } },
    })
    return { portId, at: local as Endpoint }
  }

  /** One that stands: its far end has answered, all of it, which may come in pieces. */
  async function standing(at: Endpoint): Promise<{ socket: Socket; over: Promise<NodeJS.ErrnoException> }> {
    const socket = connect(at.port, at.address)
    const over = once(socket, 'error').then(([error]) => error)
    socket.write('hello\n')
    for (let told = ''; !told.endsWith('hello\n'); ) told += (await once(socket, 'data'))[0]
    return { socket, over }
  }

  const hello = (at: Endpoint, withinMs = 15_000) => exchange({ to: at, bytes: 'hello\n', withinMs })

  it('the agent is killed: what stands is reset, and a connection waits for the next agent', async () => {
    const { at } = await forward()
    const { over } = await standing(at)
    const before = pidOf('agent')
    process.kill(before, 'SIGKILL')
    assert.equal((await over).code, 'ECONNRESET')
    assert.match(await hello(at), / hello\n$/)
    assert.notEqual(pidOf('agent'), before)
  })

  it('the server is killed: nothing listens, what stands ends, and so does the agent', async () => {
    const { at } = await forward()
    const { socket } = await standing(at)
    const gone = once(reaching.backend.child, 'exit')
    process.kill(pidOf('server'), 'SIGKILL')
    await Promise.all([gone, once(socket, 'close')])
    await assert.rejects(hello(at), isRefused)
    await untilNothing('processes of standin', () => processesOf(run.value))
  })

  it('the link is silent: what stands goes on when it is back, and a connection waits 10 s and is reset', async () => {
    const { backend } = reaching
    const { at } = await forward()
    const { socket } = await standing(at)
    const agent = pidOf('agent')
    process.kill(agent, 'SIGSTOP')
    try {
      await backend.untilStatus('the silence', ({ state }) => state === 'reconnecting', 40_000)
      socket.write('meanwhile')
      const beganMs = performance.now()
      await assert.rejects(hello(at, 30_000), isReset)
      const tookMs = performance.now() - beganMs
      assert.ok(tookMs > 9_000 && tookMs < 15_000, `it was reset after ${tookMs} ms`)
      await backend.messages.until('the reason', line =>
        line.includes('(ENETUNREACH); a connection was reset'),
      )
    } finally {
      process.kill(agent, 'SIGCONT')
    }
    assert.equal(String((await once(socket, 'data'))[0]), 'meanwhile')
    assert.match(await hello(at), / hello\n$/)
    socket.destroy()
  }).timeout(90_000)

  it('the session is stopped, or its target ends: nothing listens, and what stands is reset', async () => {
    const { backend, pod, sessionId } = reaching
    const { at } = await forward()
    const { over } = await standing(at)
    await backend.connection.request(stopSession, { sessionId })
    assert.equal((await over).code, 'ECONNRESET')
    await assert.rejects(hello(at), isRefused)
    await assert.rejects(forward(), /Cannot use session "s1": it is stopped/)
    const again = await startReaching(run.environment, ['sh', '-c', 'echo listening; exec sleep 1000'])
    const ended = await again.backend.connection.request(forwardPort, {
      ...{ sessionId: again.sessionId, remote: { host: 'localhost', port: pod.port } },
    })
    again.pod.server.kill('SIGKILL')
    await again.backend.untilStatus('the end', ({ state }) => state === 'stopped')
    await assert.rejects(hello(ended.local as Endpoint), isRefused)
    again.backend.child.stdin?.end()
    await again.pod.end()
  })

  it('one connection is not read, the others lose nothing, and its own writer waits', async () => {
    const { at } = await forward()
    const stalled = connect(at.port, at.address)
    stalled.pause()
    const piece = Buffer.alloc(1 << 20)
    let taken = 0
    const feed = () => {
      if (taken === 64) return
      stalled.write(piece, () => {
        taken += 1
        feed()
      })
    }
    stalled.on('error', () => {})
    feed()
    // The others are served while it stands still, and after.
    let before = -1
    await several(40, 4, async () => {
      assert.match(await hello(at), / hello\n$/)
    })
    await untilState('the stalled one to stand still', () => {
      const stands = taken === before
      before = taken
      return stands
    })
    assert.ok(taken < 40, `${taken} MiB were taken of a connection that nobody reads`)
    assert.match(await hello(at), / hello\n$/)
    const sizes = piece.length * 64
    stalled.resume()
    let echoed = 0
    stalled.on('data', bytes => {
      echoed += bytes.length
    })
    await untilState('all that was written to come back', () => echoed === sizes, 30_000)
    stalled.destroy()
  }).timeout(60_000)

  it('many come and go, refused ones too: no descriptor stays in server or agent', async () => {
    const { at } = await forward()
    const refused = await forward({ host: 'localhost', port: 1 })
    const open = () => ['server', 'agent'].map(name => readdirSync(`/proc/${pidOf(name)}/fd`).length)
    await several(10, 10, async () => void (await hello(at)))
    const before = open()
    await several(600, 100, async () => void assert.match(await hello(at), / hello\n$/))
    await several(300, 50, () => assert.rejects(hello(refused.at), isReset))
    await untilNothing('more descriptors than before', () =>
      open().filter((count, index) => count > before[index]! + 2),
    )
    await reaching.backend.messages.until('the count', line => /\d+ connections were reset$/.test(line))
  }).timeout(60_000)

  it('it is closed while a connection is being made: that is reset, and the dial in the pod ends', async () => {
    const { pod } = reaching
    const { first } = pod.cable
    const silent = ['10.77.0.200', 'lladdr', '02:00:00:00:00:99', 'dev', first.device] as const
    await pod.namespace.run('ip', 'neigh', 'replace', ...silent)
    const { at, portId } = await forward({ host: '10.77.0.200', port: 9 })
    const waiting = hello(at)
    waiting.catch(() => {})
    const dials = async () =>
      (await pod.namespace.run('ss', '-Htn', 'state', 'syn-sent')).split('\n').filter(Boolean)
    const deadline = Date.now() + 10_000
    while ((await dials()).length === 0) if (Date.now() > deadline) assert.fail('the pod did not dial')
    await reaching.backend.connection.request(closePort, { portId })
    await assert.rejects(waiting, isReset)
    while ((await dials()).length > 0) if (Date.now() > deadline) assert.fail('the dial stayed')
  })
})

// The life of a command under a supervisor as the server follows it, with a supervisor of the test's own.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { Failure } from '../../../protocol/errors.ts'
import type { FromSupervisor, ToSupervisor } from '../../../protocol/hook/messages.ts'
import type { Channel, ChannelEvents } from '../../../server/processes/channel.ts'
import { type Exit, HookedProcess } from '../../../server/processes/hooked-process.ts'

const start = { environment: {}, addresses: [], ports: [80], guard: 'g', guardToken: 't' }

function supervised(id = 'p1-test') {
  const sent: ToSupervisor[] = []
  const happened: string[] = []
  const channel = {
    closed: false,
    events: undefined as ChannelEvents | undefined,
    send: (message: ToSupervisor) => void sent.push(message),
    close() {
      if (channel.closed) return
      channel.closed = true
      channel.events?.closed()
    },
  }
  const process = new HookedProcess(id, 'npm start', {
    listening: ({ asked }) => void happened.push(`listening ${asked.port}`),
    closed: () => void happened.push('closed'),
    notice: (level, text) => void happened.push(`${level} ${text}`),
    connect: () => undefined,
    abandoned: () => undefined,
    stayed: ({ protocol, to, rule }) => void happened.push(`stayed ${protocol} ${to.port}: ${rule}`),
    datagrams: { datagrams: () => undefined, datagramsClosed: () => undefined },
    orphaned: ({ hasExited }) => void happened.push(hasExited ? 'survivors orphaned' : 'orphaned'),
  })
  const say = (message: FromSupervisor) => channel.events!.message(message)
  const arrive = () => process.take(channel as unknown as Channel)
  return { process, channel, sent, happened, say, arrive }
}
const endpoint = (port: number) => ({ address: '127.0.0.1', port })

describe('HookedProcess', () => {
  it('starts the command when the supervisor has come and the session runs, in either order', () => {
    for (const order of ['arrive first', 'start first']) {
      const { process, sent, arrive } = supervised()
      if (order === 'arrive first') arrive()
      process.start(start)
      if (order === 'start first') arrive()
      assert.deepEqual(sent, [{ type: 'start', ...start }])
    }
  })

  it('tells a supervisor of a name before it counts as learned, and one that comes later with its start', async () => {
    const learned = { name: 'db', entries: [0], addresses: ['10.0.0.1'] }
    const filter = { side: 'remote' as const, entries: ['db'], learned: [learned] }
    const rules = { tcp: true, ignoreLocalhost: false, filter }
    const { process, sent, say, arrive } = supervised()
    process.start(start)
    await process.learn(rules, learned)
    arrive()
    assert.deepEqual(sent, [{ type: 'start', ...start, outgoing: rules }])
    const learning = process.learn(rules, learned)
    assert.deepEqual(sent.at(-1), { type: 'learn', learning: 1, learned })
    say({ type: 'learned', learning: 1 })
    await learning
    const lost = process.learn(rules, learned)
    process.abandon(new Failure('cancelled', { what: 'launch' }))
    await lost
  })

  it('reports start, exit and the end of the last process', async () => {
    const { process, say, arrive, channel } = supervised()
    arrive()
    process.start(start)
    say({ type: 'started', pid: 77 })
    assert.equal(await process.started, 77)
    assert.equal(process.running, true)
    say({ type: 'exit', code: 3 })
    assert.deepEqual(await process.exited, { code: 3 })
    assert.deepEqual([process.running, process.hasExited], [false, true])
    channel.close()
    await process.gone
  })

  for (const [kind, code] of [
    ['command-not-found', 127],
    ['command-not-executable', 126],
    ['folder-not-found', 125],
  ] as const) {
    it(`reports ${kind} as the exit code ${code} of a shell`, async () => {
      const { process, say, arrive } = supervised()
      arrive()
      process.start(start)
      const values = { command: 'npm', errno: 'EACCES', folder: '/x' }
      say({ type: 'failed', failure: { kind, values } })
      await assert.rejects(process.started, { kind })
      const exit: Exit = await process.exited
      assert.equal(exit.code, code)
      assert.match(exit.failure ?? '', /^Cannot run command/)
    })
  }

  it('keeps the listeners of a process until its supervisor is gone', () => {
    const { process, say, arrive, channel, happened } = supervised()
    arrive()
    say({ type: 'listening', listener: '1', asked: endpoint(80), actual: endpoint(4000) })
    say({ type: 'listening', listener: '2', asked: endpoint(81), actual: endpoint(81) })
    say({ type: 'notice', level: 'warning', code: 'port-substituted', text: 'port 80 is held' })
    assert.deepEqual(happened, ['listening 80', 'listening 81', 'warning port 80 is held'])
    assert.equal(process.listeners.all.length, 2)
    channel.close()
    assert.equal(process.listeners.ports.length, 0)
  })

  it('delivers nothing to a listener that was closed, and lets go of its port when none comes back', () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { process, say, arrive, happened } = supervised()
    arrive()
    const listen = (id: string, port: number) =>
      say({ type: 'listening', listener: id, asked: endpoint(port), actual: endpoint(port) })
    try {
      for (const port of [80, 81]) listen(String(port), port)
      for (const id of ['80', '81', '82']) say({ type: 'closed', listener: id })
      assert.deepEqual(process.listeners.all, [])
      assert.deepEqual(process.listeners.ports, [80, 81])
      listen('new', 81)
      clock.tick(5_000)
      assert.deepEqual(process.listeners.ports, [81])
      assert.deepEqual(happened, ['listening 80', 'listening 81', 'listening 81', 'closed', 'closed'])
    } finally {
      clock.restore()
    }
  })

  it('is given to another guard once it was given to one, also when its supervisor comes later', () => {
    const { process, arrive, sent } = supervised()
    process.setGuard({ guard: 'early', guardToken: 'x' })
    process.start(start)
    process.setGuard({ guard: 'h', guardToken: 'u' })
    arrive()
    assert.deepEqual(sent, [{ type: 'start', ...start, guard: 'h', guardToken: 'u' }])
    process.setGuard({ guard: 'i', guardToken: 'v' })
    assert.deepEqual(sent.at(-1), { type: 'guard', guard: 'i', guardToken: 'v' })
  })

  it('asks whether a connection has reached the process, and takes the end of the supervisor for a no', async () => {
    const { process, say, arrive, channel, sent } = supervised()
    arrive()
    const announce = async (announcement: number) => {
      const announced = process.announcements.announce({
        source: endpoint(1),
        caller: endpoint(2),
        pod: endpoint(80),
      })
      say({ type: 'announced', announcement })
      return (await announced).reached(endpoint(80))
    }
    const answers = [announce(1), announce(2), announce(3)]
    await new Promise(setImmediate)
    assert.deepEqual(sent.at(-1), { type: 'connected', announcement: 3, to: endpoint(80) })
    say({ type: 'reached', announcement: 1, hooked: true })
    say({ type: 'reached', announcement: 2, hooked: false })
    channel.close()
    assert.deepEqual(await Promise.all(answers), [true, false, false])
  })

  it('confirms an announcement by its id, and fails all when the supervisor goes', async () => {
    const { process, say, arrive, channel, sent } = supervised()
    arrive()
    const connection = { source: endpoint(1), caller: endpoint(2), pod: endpoint(80) }
    const first = process.announcements.announce(connection)
    const second = process.announcements.announce(connection)
    say({ type: 'announced', announcement: 1 })
    ;(await first).retract()
    assert.deepEqual(sent.at(-1), { type: 'retract', announcement: 1 })
    channel.close()
    await assert.rejects(second, /are gone/)
  })

  it('ends at once by a signal while it waits for its session, and ignores others', async () => {
    const { process, arrive, channel } = supervised()
    arrive()
    process.signal('SIGWINCH')
    assert.equal(channel.closed, false)
    process.signal('SIGTERM')
    assert.equal(channel.closed, true)
    assert.deepEqual(await process.exited, { signal: 'SIGTERM' })
    await process.gone
  })

  it('is ended with SIGTERM and a time for SIGKILL', async () => {
    const { process, say, arrive, channel, sent } = supervised()
    arrive()
    process.start(start)
    say({ type: 'started', pid: 77 })
    const ended = process.end()
    assert.deepEqual(sent.at(-1), { type: 'end', killAfterMs: 5_000 })
    say({ type: 'exit', signal: 'SIGTERM' })
    channel.close()
    await ended
  })

  it('says that its exit code is not known when the supervisor was killed before', async () => {
    const { process, say, arrive, channel, happened } = supervised()
    arrive()
    process.start(start)
    // A pid that no process can have: the command has ended with its supervisor.
    say({ type: 'started', pid: 2 ** 30 })
    channel.close()
    assert.deepEqual(happened, ['orphaned'])
    assert.match((await process.exited).failure ?? '', /exit code is not known/)
    await process.gone
  })

  it('turns a supervisor away that comes after the end', () => {
    const { process, arrive, channel } = supervised()
    process.signal('SIGKILL')
    arrive()
    assert.equal(channel.closed, true)
  })
})

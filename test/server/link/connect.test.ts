// The server's end of a link: dialling, dialling again, giving up, on a fake clock.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { Duplex } from 'node:stream'
import sinon from 'sinon'
import { greetServer } from '../../../agent/link/greet.ts'
import { Failure } from '../../../protocol/errors.ts'
import { createEndpoint, type Endpoint } from '../../../protocol/link/endpoint.ts'
import { greetingFrame } from '../../../protocol/link/first-frame.ts'
import { backoffMs } from '../../../server/link/backoff.ts'
import { connectLink, type Link, type LinkState } from '../../../server/link/connect.ts'
import { carrierPair, type FakeCarrier, ignored } from '../../protocol/link/carriers.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const right = { version: 1, role: 'agent', session: 's1', nonce: '17', received: '0' }
const kindOf = (kind: string) => (error: unknown) => error instanceof Failure && error.kind === kind

/** An agent in memory: each dial makes a connection that it greets; `refuses` makes the dials fail instead. */
function fakeAgent() {
  const agent = {
    endpoint: createEndpoint({ ...ignored, role: 'agent' }) as Endpoint,
    carriers: [] as FakeCarrier[],
    refuses: false,
    dials: 0,
    async dial(): Promise<Duplex> {
      agent.dials += 1
      if (agent.refuses) throw new Error('connect ECONNREFUSED')
      const [near, far] = carrierPair()
      agent.carriers.push(near)
      const { signal } = new AbortController()
      greetServer(far, { session: 's1', publicKey, received: agent.endpoint.received, signal }).then(
        received => agent.endpoint.attach(far, received),
        () => far.destroy(),
      )
      return near
    },
  }
  return agent
}

function connectTo(dial: () => Promise<Duplex>): Link & { states: LinkState[] } {
  const states: LinkState[] = []
  const link = connectLink({
    dial,
    session: 's1',
    privateKey,
    graceMs: 60_000,
    onControl() {},
    onOpen() {},
    onState: state => states.push(state),
  })
  return { ...link, states }
}

/** Dials get a connection on which an agent says this, and nothing more. */
const saying =
  (...frames: Buffer[]) =>
  async (): Promise<Duplex> => {
    const [near, far] = carrierPair()
    for (const bytes of frames) far.write(bytes)
    return near
  }

describe('backoffMs()', () => {
  it('doubles from 100 ms to 5 s, less up to a half', () => {
    assert.deepEqual(
      [1, 2, 3, 6, 7, 100].map(attempt => backoffMs(attempt, 1)),
      [100, 200, 400, 3_200, 5_000, 5_000],
    )
    assert.deepEqual(
      [1, 7].map(attempt => backoffMs(attempt, 0)),
      [50, 2_500],
    )
  })
})

describe('connectLink()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({
      shouldClearNativeTimers: true,
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
  })
  afterEach(() => clock.restore())

  it('is ready when the agent has accepted it, and leaves no timer and no connection after close()', async () => {
    const agent = fakeAgent()
    const link = connectTo(agent.dial)
    await link.ready
    assert.deepEqual(link.states, [{ state: 'running' }])
    agent.endpoint.close('the test is over')
    link.close('done')
    assert.ok(agent.carriers.every(carrier => carrier.destroyed))
    await clock.tickAsync(120_000)
    assert.equal(agent.dials, 1)
    assert.equal(clock.countTimers(), 0)
    assert.deepEqual(link.states, [{ state: 'running' }])
  })

  it('dials again after a drop, says so with reason and attempt, and goes on', async () => {
    const agent = fakeAgent()
    const link = connectTo(agent.dial)
    await link.ready
    await clock.tickAsync(2_000)
    agent.refuses = true
    agent.carriers[0]!.destroy()
    await clock.tickAsync(250)
    agent.refuses = false
    await clock.tickAsync(5_000)
    const states = link.states.map(state => state.state)
    assert.equal(states[0], 'running')
    assert.equal(states.at(-1), 'running')
    assert.deepEqual(link.states[1], { state: 'reconnecting', reason: 'the connection closed', attempt: 1 })
    assert.deepEqual(link.states[2], { state: 'reconnecting', reason: 'connect ECONNREFUSED', attempt: 2 })
    link.close('done')
    agent.endpoint.close('done')
  })

  it('gives up when the grace time is over, counted from the drop', async () => {
    const agent = fakeAgent()
    const link = connectTo(agent.dial)
    await link.ready
    const stream = link.endpoint.open({})
    const over: string[] = []
    stream.events = { data() {}, end() {}, reset: reason => over.push(reason) }
    await clock.tickAsync(2_000)
    agent.refuses = true
    agent.carriers[0]!.destroy()
    await clock.tickAsync(59_000)
    assert.equal(link.states.at(-1)!.state, 'reconnecting')
    await clock.tickAsync(1_100)
    assert.deepEqual(link.states.at(-1), { state: 'lost', reason: 'connect ECONNREFUSED' })
    assert.deepEqual(over, ['connect ECONNREFUSED'])
    assert.ok(agent.dials < 25, `${agent.dials} dials`)
    agent.endpoint.close('done')
    assert.equal(clock.countTimers(), 0)
  })

  it('finds an agent that comes back just before the grace time is over, however the pauses fell', async () => {
    for (let round = 0; round < 20; round++) {
      const agent = fakeAgent()
      const link = connectTo(agent.dial)
      await link.ready
      await clock.tickAsync(2_000)
      agent.refuses = true
      agent.carriers[0]!.destroy()
      await clock.tickAsync(59_900)
      agent.refuses = false
      await clock.tickAsync(1_000)
      assert.equal(link.states.at(-1)!.state, 'running')
      link.close('done')
      agent.endpoint.close('done')
    }
  })

  it('does not begin the grace time again for connections that die at once', async () => {
    const agent = fakeAgent()
    const link = connectTo(async () => {
      const carrier = await agent.dial()
      if (agent.dials > 1) setTimeout(() => carrier.destroy(), 200)
      return carrier
    })
    await link.ready
    await clock.tickAsync(2_000)
    agent.carriers[0]!.destroy()
    await clock.tickAsync(70_000)
    assert.equal(link.states.at(-1)!.state, 'lost')
    agent.endpoint.close('done')
  })

  it('fails with link-lost when the agent is never reached', async () => {
    const agent = fakeAgent()
    agent.refuses = true
    const link = connectTo(agent.dial)
    const failed = assert.rejects(link.ready, kindOf('link-lost'))
    await clock.tickAsync(61_000)
    await failed
    assert.deepEqual(link.states, [{ state: 'lost', reason: 'connect ECONNREFUSED' }])
    assert.equal(clock.countTimers(), 0)
  })

  const final: [string, Buffer[], string, RegExp][] = [
    ['another version', [greetingFrame('hello', { version: 2 })], 'link-version', /version 2, this one 1/],
    [
      'another session',
      [greetingFrame('hello', { ...right, session: 's2' })],
      'link-refused',
      /another session/,
    ],
    ['a wrong hello', [greetingFrame('hello', { version: 1 })], 'link-refused', /hello is wrong/],
    [
      'a refusal',
      [greetingFrame('hello', right), greetingFrame('reset', { reason: 'the signature is wrong' })],
      'link-refused',
      /the agent answered "the signature is wrong"/,
    ],
  ]
  for (const [what, frames, kind, message] of final) {
    it(`does not try again after ${what}`, async () => {
      let dials = 0
      const link = connectTo(() => {
        dials += 1
        return saying(...frames)()
      })
      await assert.rejects(link.ready, error => kindOf(kind)(error) && message.test((error as Error).message))
      await clock.tickAsync(70_000)
      assert.equal(dials, 1)
      assert.equal(link.states.length, 1)
      assert.equal(link.states[0]!.state, 'lost')
      assert.equal(clock.countTimers(), 0)
    })
  }

  it('tries again after garbage and after silence, until the grace time is over', async () => {
    for (const frames of [[Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')], []]) {
      let dials = 0
      const link = connectTo(() => {
        dials += 1
        return saying(...frames)()
      })
      const failed = assert.rejects(link.ready, kindOf('link-lost'))
      await clock.tickAsync(80_000)
      await failed
      assert.ok(dials > 3, `${dials} dials`)
      assert.equal(clock.countTimers(), 0)
    }
  })

  it('destroys a connection that comes after close()', async () => {
    const [near] = carrierPair()
    let give: ((carrier: Duplex) => void) | undefined
    const link = connectTo(
      () =>
        new Promise(resolve => {
          give = resolve
        }),
    )
    link.close('cancelled')
    await assert.rejects(link.ready, kindOf('cancelled'))
    give!(near)
    await clock.tickAsync(0)
    assert.ok(near.destroyed)
    assert.deepEqual(link.states, [])
    assert.equal(clock.countTimers(), 0)
  })

  it('does not wait for a dial that never ends', async () => {
    const link = connectTo(() => new Promise(() => {}))
    const failed = assert.rejects(link.ready, kindOf('link-lost'))
    await clock.tickAsync(75_000)
    await failed
    assert.match((link.states[0] as { reason: string }).reason, /did not answer within \d+ s/)
  })
})

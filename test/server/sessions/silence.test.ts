// A session through 10 minutes in which nothing happens. Both ends of the link are the real ones, joined in memory, on a clock of the test:
// the server's side from Hold down, the agent's from its greeting on; real minutes would be waited for nothing.
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import sinon from 'sinon'
import { createAnswerer } from '../../../agent/answer.ts'
import { greetServer } from '../../../agent/link/greet.ts'
import type { AgentEvent, TargetFacts } from '../../../protocol/agent/control.ts'
import { targetFacts } from '../../../protocol/agent/control.ts'
import { createEndpoint, type Endpoint } from '../../../protocol/link/endpoint.ts'
import { Hold } from '../../../server/sessions/hold.ts'
import { Startup } from '../../../server/sessions/startup.ts'
import type { Agent, Found } from '../../../server/targets/found.ts'
import { carrierPair, listener, textOf } from '../../protocol/link/carriers.ts'
import { openedOf } from '../incoming/fake-stream.ts'

const minutes = 60_000
const target = { target: 'process/7', kind: 'process', name: 'node', ready: true, ports: [80] } as const
const facts: TargetFacts = {
  target: { ...target, ports: [80] },
  hostname: 'shop',
  addresses: [],
  ports: [80],
  environment: {},
  nameFiles: { notices: [] },
  ownNetwork: true,
}

/** An agent in memory that answers as the real one does. */
function startAgent(publicKey: KeyObject): { agent: Agent; endpoint: Endpoint } {
  const unused = () => {
    throw new Error('nothing is captured in this test')
  }
  const endpoint: Endpoint = createEndpoint({
    role: 'agent',
    onControl: value => answer(value),
    onOpen: () => {},
    onDetached: () => {},
  })
  const answer = createAnswerer({
    facts: () => facts,
    mirror: unused,
    counters: unused,
    reply: value => endpoint.control(value),
    end: unused,
    explain: thrown => thrown,
    log: () => {},
  })
  const dial = async () => {
    const [near, far] = carrierPair()
    const { signal } = new AbortController()
    const greeted = greetServer(far, { session: 's1', publicKey, received: endpoint.received, signal })
    void greeted.then(received => endpoint.attach(far, received))
    return near
  }
  return { agent: { dial, gone: new Promise(() => {}), async end() {} }, endpoint }
}

describe('a session that was silent for 10 minutes', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({
      shouldClearNativeTimers: true,
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
  })
  afterEach(() => clock.restore())

  it('never lost its link, answers, and takes what the agent captures and tells', async () => {
    const happened: string[] = []
    const told: AgentEvent[] = []
    const opened = listener()
    let far: Endpoint | undefined
    const found: Found = {
      target: { ...target, ports: [80] },
      where: 'pid 7',
      notices: [],
      lives: 'once',
      async startAgent(options) {
        const { agent, endpoint } = startAgent(options.publicKey)
        far = endpoint
        return agent
      },
      again: () => Promise.reject(new Error('the agent was lost')),
    }
    const hold = new Hold({
      sessionId: 's1',
      signal: new AbortController().signal,
      log: { level: 'error', write() {}, close() {} },
      tell: () => {},
      events: {
        event: event => told.push(event),
        open: opened.onOpen,
        running: () => happened.push('running'),
        reconnecting: reason => happened.push(`reconnecting: ${reason}`),
        renewed: () => happened.push('renewed'),
        moved: where => happened.push(`moved: ${where}`),
        lost: (_, reason) => happened.push(`lost: ${reason}`),
      },
    })
    const talk = await hold.start(found, () => {}, new Startup(undefined))
    await clock.tickAsync(10 * minutes)
    assert.deepEqual(happened, [])
    assert.deepEqual(await talk.ask({ ask: 'describe' }, targetFacts), facts)
    far!.control({ event: 'ports', ports: [80, 81] } satisfies AgentEvent)
    const stream = far!.open(openedOf('c1'), { oneWay: true })
    stream.write({ bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), timeMs: 1 })
    stream.end()
    await clock.tickAsync(100)
    assert.deepEqual(told, [{ event: 'ports', ports: [80, 81] }])
    assert.deepEqual(
      opened.streams.map(({ data, over }) => [textOf(data), over]),
      [['GET / HTTP/1.1\r\n\r\n', ['end']]],
    )
    await hold.end('the test is over')
    far!.close('the test is over')
    assert.equal(clock.countTimers(), 0)
  })
})

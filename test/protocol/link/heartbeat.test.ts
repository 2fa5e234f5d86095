// The link's heartbeat: an idle link lives, a silent one is given up in time.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { type Frame, FrameReader, frameType } from '../../../protocol/link/frame.ts'
import { carrierPair, endpointPair, FakeCarrier, join } from './carriers.ts'

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('the heartbeat', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({
      shouldClearNativeTimers: true,
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
  })
  afterEach(() => clock.restore())

  it('keeps an idle link alive for 10 minutes', async () => {
    const reasons: string[] = []
    const onDetached = (reason: string): void => void reasons.push(reason)
    const ends = endpointPair({ onDetached }, { onDetached })
    join(ends)
    await clock.tickAsync(600_000)
    assert.deepEqual(reasons, [])
    assert.ok(ends.server.attached && ends.agent.attached)
    ends.server.close('done')
    ends.agent.close('done')
    assert.equal(clock.countTimers(), 0)
  })

  it('detaches a link that is silent, 11 s after the last byte, and not before', async () => {
    const reasons: string[] = []
    const { server } = endpointPair({ onDetached: reason => reasons.push(reason) })
    const sent: Frame[] = []
    const reader = new FrameReader()
    server.attach(
      new FakeCarrier((bytes, done) => {
        sent.push(...reader.read(bytes))
        done()
      }),
      0n,
    )
    await clock.tickAsync(10_990)
    assert.deepEqual(reasons, [])
    assert.deepEqual(
      sent.map(({ type }) => type),
      [frameType.ack, frameType.ping, frameType.ping],
    )
    await clock.tickAsync(20)
    await turn()
    assert.deepEqual(reasons, ['silent for 11 s'])
    assert.equal(server.attached, false)
  })

  it('is as quick as it is told to be', async () => {
    const reasons: string[] = []
    const { agent } = endpointPair({}, { heartbeatMs: 500, onDetached: reason => reasons.push(reason) })
    agent.attach(new FakeCarrier((_, done) => done()), 0n)
    await clock.tickAsync(2_010)
    await turn()
    assert.deepEqual(reasons, ['silent for 2 s'])
  })

  it('reads what came while the process was stopped before it calls the link silent', async () => {
    const reasons: string[] = []
    const { server } = endpointPair({ onDetached: reason => reasons.push(reason) })
    const [near, far] = carrierPair()
    server.attach(near, 0n)
    // The process sleeps past the deadline: its timers run late, and what came meanwhile is read after them.
    clock.jump(60_000)
    near.emit('data', Buffer.alloc(1))
    await turn()
    assert.deepEqual(reasons, [])
    far.destroy()
  })

  it('acknowledges a lone frame within 50 ms', async () => {
    const ends = endpointPair()
    const [, far] = join(ends)
    const sent: Frame[] = []
    await clock.tickAsync(10)
    const reader = new FrameReader()
    const write = far._write.bind(far)
    far._write = (bytes, encoding, done) => {
      sent.push(...reader.read(bytes))
      write(bytes, encoding, done)
    }
    ends.server.control({})
    await clock.tickAsync(45)
    assert.equal(sent.length, 0)
    await clock.tickAsync(10)
    assert.deepEqual(
      sent.map(({ type, payload }) => [type, payload.readBigUInt64BE()]),
      [[frameType.ack, 1n]],
    )
  })
})

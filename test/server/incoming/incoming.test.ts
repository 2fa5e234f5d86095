// What becomes of copies that reach no process, without any socket; test/journeys/deliver.test.ts delivers to real ones.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { createIncoming } from '../../../server/incoming/incoming.ts'
import type { AnnouncedConnection, DeliveryListener } from '../../../server/incoming/listener.ts'
import { createTraffic } from '../../../server/traffic/traffic.ts'
import { FakeStream, openedOf } from './fake-stream.ts'

const address = { address: '127.0.0.1', port: 8080 }

function stage(listenerFor: () => DeliveryListener | undefined = () => undefined) {
  const notices: string[] = []
  const lost: string[] = []
  const traffic = createTraffic()
  const incoming = createIncoming({
    listenerFor,
    traffic,
    onLost: reason => lost.push(reason),
    onNotice: text => notices.push(text),
  })
  const accept = (connection = 'c1') => {
    const stream = new FakeStream()
    incoming.accept(stream, openedOf(connection))
    return stream
  }
  return { incoming, notices, lost, accept, traffic }
}

describe('createIncoming()', () => {
  it('reads, grants and counts what nobody listens for, once a connection', () => {
    const { incoming, lost, accept } = stage()
    for (const connection of ['c1', 'c2']) {
      const stream = accept(connection)
      stream.arrive(Buffer.alloc(1 << 20))
      stream.arriveEnd()
      assert.ok(stream.grantedBytes > 0)
    }
    assert.deepEqual({ ...incoming.lost }, { 'nothing listens on port 8080': 2 })
    assert.deepEqual(lost, Array(2).fill('nothing listens on port 8080'))
  })

  it('counts a copy without a byte that ended before anybody listened', () => {
    const { incoming, accept } = stage()
    accept().arriveEnd()
    assert.deepEqual({ ...incoming.lost }, { 'nothing listens on port 8080': 1 })
  })

  it('refuses an opening that it does not understand', () => {
    const { incoming, notices } = stage()
    const stream = new FakeStream()
    incoming.accept(stream, { connection: 1 })
    assert.equal(stream.resetReason, 'its opening is not understood')
    assert.equal(notices.length, 1)
  })

  it('ends its half of each stream, since it never answers', () => {
    const { accept } = stage()
    assert.equal(accept().ownHalfEnded, true)
  })

  it('counts a copy that the agent gave up, and not one that its caller reset', () => {
    const { incoming, accept } = stage(() => ({
      asked: address,
      actual: address,
      announce: () => new Promise(() => {}),
    }))
    accept('c1').arriveReset('gap of 1448 bytes')
    accept('c2').arriveReset('reset by the caller')
    assert.deepEqual({ ...incoming.lost }, { 'a gap in the capture': 1 })
  })

  it('loses the copy when the hooks do not take the announcement, and retracts one that comes too late', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      let announced = (_: AnnouncedConnection) => {}
      const announce = () =>
        new Promise<AnnouncedConnection>(resolve => {
          announced = resolve
        })
      const { incoming, accept } = stage(() => ({ asked: address, actual: address, announce }))
      const stream = accept()
      stream.arrive('GET / HTTP/1.1\r\n\r\n')
      await clock.tickAsync(4_999)
      assert.deepEqual({ ...incoming.lost }, {})
      await clock.tickAsync(1)
      assert.deepEqual({ ...incoming.lost }, { 'the hooks of port 8080 did not answer': 1 })
      assert.equal(stream.grantedBytes, 18)
      const retract = sinon.spy()
      announced({ retract, reached: async () => true })
      await clock.tickAsync(0)
      assert.equal(retract.callCount, 1)
      assert.equal(clock.countTimers(), 0)
    } finally {
      clock.restore()
    }
  })

  it('loses the copy when the announcement is refused', async () => {
    const announce = () => Promise.reject(new Error('the supervisor is gone'))
    const { incoming, accept } = stage(() => ({ asked: address, actual: address, announce }))
    accept().arrive('GET / HTTP/1.1\r\n\r\n')
    await new Promise(setImmediate)
    assert.deepEqual({ ...incoming.lost }, { 'the hooks of port 8080 did not answer': 1 })
  })

  it('holds at most 64 MiB for all connections together, and gives up the one that would go beyond', async () => {
    const listener = { asked: address, actual: address, announce: () => new Promise<never>(() => {}) }
    const { incoming, accept } = stage(() => listener)
    const streams = Array.from({ length: 260 }, (_, index) => accept(`c${index}`))
    const half = Buffer.alloc(128 << 10)
    for (const stream of [...streams, ...streams]) stream.arrive(half)
    const granted = streams.filter(({ grantedBytes }) => grantedBytes > 0).length
    assert.equal(granted, 4)
    assert.deepEqual({ ...incoming.lost }, { 'the process is too slow for all its connections together': 4 })
    incoming.close('the test is over')
    await new Promise(setImmediate)
  })

  it('resets what is under way at its close, leaves no timer, and refuses what comes later', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { incoming, accept } = stage(() => ({
        asked: address,
        actual: address,
        announce: () => new Promise(() => {}),
      }))
      const before = accept('c1')
      before.arrive('GET / HTTP/1.1\r\n\r\n')
      incoming.close('the session ended')
      await clock.tickAsync(0)
      assert.equal(before.resetReason, 'the session ended')
      assert.equal(accept('c2').resetReason, 'the session ended')
      assert.equal(clock.countTimers(), 0)
    } finally {
      clock.restore()
    }
  })

  it('gives the pod its credit back for its own answers, delivered or not', () => {
    const { incoming } = stage()
    const stream = new FakeStream()
    incoming.accept(stream, openedOf('c1', { direction: 'sent' }))
    stream.arrive(Buffer.alloc(1 << 20))
    stream.arriveEnd()
    assert.ok(stream.grantedBytes > 0)
    assert.deepEqual({ ...incoming.lost }, {})
  })
})

// What a view costs without credit, how its batches are cut, and what it says of what was lost.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import type { TrafficEvent } from '../../../protocol/rpc/traffic.ts'
import { maxBatchBytes, maxWaitingBytes, View } from '../../../server/traffic/view.ts'

type Batch = { events: TrafficEvent[]; dropped: number }

function eventOf(number: number, headerBytes = 0): TrafficEvent {
  const headers: [string, string][] = headerBytes === 0 ? [] : [['A', 'a'.repeat(headerBytes)]]
  return {
    event: 'request',
    at: 1,
    connection: 'c1',
    exchange: number,
    method: 'GET',
    path: '/',
    version: '1.1',
    headers,
  }
}

describe('View', () => {
  let clock: sinon.SinonFakeTimers
  let batches: Batch[]
  const viewOf = (credit: number, bodyBytes = 0) =>
    new View({ credit, bodyBytes, send: batch => batches.push(batch) })
  const numbers = (batch: Batch | undefined) =>
    batch?.events.map(event => ('exchange' in event ? event.exchange : 0))

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 5_000, toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    batches = []
  })
  afterEach(() => clock.restore())

  it('sends the first event at once and the next 20 ms later, together', () => {
    const view = viewOf(10)
    view.push({ event: eventOf(1) })
    clock.tick(1)
    for (const number of [2, 3]) view.push({ event: eventOf(number) })
    clock.tick(18)
    assert.deepEqual(batches.map(numbers), [[1]])
    clock.tick(2)
    assert.deepEqual(batches.map(numbers), [[1], [2, 3]])
  })

  it('sends as many events as were granted and no more', () => {
    const view = viewOf(2)
    for (const number of [1, 2, 3, 4]) view.push({ event: eventOf(number) })
    clock.tick(100)
    assert.deepEqual(batches.map(numbers), [[1, 2]])
    view.grant(1)
    clock.tick(100)
    assert.deepEqual(batches.map(numbers), [[1, 2], [3]])
    assert.equal(view.stop(), 1)
  })

  it('puts at most 100 events in a batch', () => {
    const view = viewOf(1000)
    for (let number = 1; number <= 250; number++) view.push({ event: eventOf(number) })
    clock.tick(1)
    assert.deepEqual(
      batches.map(({ events }) => events.length),
      [100, 100, 50],
    )
  })

  it('puts at most 256 KiB in a batch, and a larger event in one of its own', () => {
    const view = viewOf(1000)
    for (const bytes of [100 << 10, 100 << 10, 100 << 10, 300 << 10, 1])
      view.push({ event: eventOf(1, bytes) })
    clock.tick(1)
    assert.deepEqual(
      batches.map(({ events }) => events.length),
      [2, 1, 1, 1],
    )
    for (const { events } of batches.filter(({ events }) => events.length > 1))
      assert.ok(JSON.stringify(events).length <= maxBatchBytes + 2 + events.length)
  })

  it('keeps the newest 1,000 events without credit and says once how many were lost', () => {
    const view = viewOf(0)
    for (let number = 1; number <= 1_500; number++) view.push({ event: eventOf(number) })
    clock.tick(1000)
    assert.equal(batches.length, 0)
    view.grant(150)
    clock.tick(1000)
    assert.deepEqual(
      batches.map(({ events, dropped }) => [events.length, dropped]),
      [
        [100, 500],
        [50, 0],
      ],
    )
    assert.equal(numbers(batches[0])?.[0], 501)
    assert.equal(view.stop(), 850)
  })

  it('keeps at most 4 MiB without credit', () => {
    const view = viewOf(0)
    for (let number = 1; number <= 100; number++) view.push({ event: eventOf(number, 64 << 10) })
    const kept = 100 - view.stop()
    assert.equal(kept, 0, 'what waits at the stop is lost')
    const other = viewOf(0)
    for (let number = 1; number <= 100; number++) other.push({ event: eventOf(number, 64 << 10) })
    other.grant(1000)
    clock.tick(1)
    const bytes = Buffer.byteLength(JSON.stringify(batches.flatMap(({ events }) => events)))
    assert.ok(bytes < maxWaitingBytes + 200 && bytes > maxWaitingBytes - (66 << 10), `${bytes} bytes`)
    assert.equal(batches[0]?.dropped, 100 - batches.flatMap(({ events }) => events).length)
  })

  it('sends nothing after its stop, also when events and credit come', () => {
    const view = viewOf(10)
    view.push({ event: eventOf(1) })
    assert.equal(view.stop(), 1)
    view.push({ event: eventOf(2) })
    view.grant(5)
    clock.tick(1000)
    assert.deepEqual([batches.length, view.stop()], [0, 0])
  })

  it('can be stopped by the receiver of a batch', () => {
    const view: View = new View({
      credit: 1000,
      bodyBytes: 0,
      send: batch => {
        batches.push(batch)
        view.stop()
      },
    })
    for (let number = 1; number <= 250; number++) view.push({ event: eventOf(number) })
    clock.tick(1000)
    assert.equal(batches.length, 1)
  })

  it('writes as much of a body as was asked for', () => {
    const body = { bytes: Buffer.from('hällo'), truncated: false }
    for (const [bodyBytes, expected] of [
      [0, undefined],
      [100, { encoding: 'utf8', data: 'hällo', truncated: false }],
      [2, { encoding: 'utf8', data: 'h', truncated: true }],
    ] as const) {
      batches = []
      const view = viewOf(1, bodyBytes)
      view.push({ event: eventOf(1), body })
      clock.tick(20)
      const [event] = batches[0]?.events ?? []
      assert.deepEqual(event?.event === 'request' ? event.body : 'no request', expected)
    }
  })
})

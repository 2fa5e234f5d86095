// One end of a link: control messages, streams, credit, resets, and its bounds.
import assert from 'node:assert/strict'
import { Failure } from '../../../protocol/errors.ts'
import { initialCreditBytes } from '../../../protocol/link/frame.ts'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'
import { bytesOf, carrierPair, endpointPair, FakeCarrier, join, listener, textOf, until } from './carriers.ts'

describe('createEndpoint()', () => {
  it('carries control both ways in order', async () => {
    const heard: unknown[] = []
    const ends = endpointPair({ onControl: v => heard.push(v) }, { onControl: v => heard.push(v) })
    join(ends)
    ends.server.control({ n: 1 })
    ends.server.control({ n: 2 })
    await until('two values', () => heard.length === 2)
    ends.agent.control({ n: 3 })
    await until('three values', () => heard.length === 3)
    assert.deepEqual(heard, [{ n: 1 }, { n: 2 }, { n: 3 }])
  })

  it('carries a stream with its times and skipped counts, and ends it', async () => {
    const { streams, onOpen } = listener()
    const ends = endpointPair({ onOpen })
    join(ends)
    const stream = ends.agent.open({ port: 80 }, { oneWay: true })
    stream.write({ bytes: Buffer.from('ab'), timeMs: 1.25 })
    stream.write({ bytes: Buffer.alloc(0), timeMs: 2, skipped: 7 })
    stream.end()
    await until('the end', () => streams[0]?.over.length === 1)
    assert.equal(stream.id, 2)
    assert.deepEqual(streams[0]?.payload, { port: 80 })
    assert.deepEqual(streams[0]?.data, [
      { bytes: Buffer.from('ab'), timeMs: 1.25 },
      { bytes: Buffer.alloc(0), timeMs: 2, skipped: 7 },
    ])
    assert.deepEqual(streams[0]?.over, ['end'])
  })

  it('cuts large writes into frames of at most 64 KiB that each have the time; what was skipped comes after the last', async () => {
    const { streams, onOpen } = listener()
    const ends = endpointPair({ onOpen })
    join(ends)
    ends.agent.open({}).write({ bytes: Buffer.alloc(200_000), timeMs: 5, skipped: 9 })
    await until('all bytes', () => bytesOf(streams[0]?.data ?? []) === 200_000)
    const { data } = streams[0]!
    assert.equal(data.length, 4)
    assert.ok(data.every(({ bytes, timeMs }) => bytes.length <= 65_536 && timeMs === 5))
    assert.deepEqual(
      data.map(({ skipped }) => skipped),
      [undefined, undefined, undefined, 9],
    )
  })

  it('closes each direction on its own', async () => {
    const { streams, onOpen } = listener()
    const ends = endpointPair({}, { onOpen })
    join(ends)
    const stream = ends.server.open({})
    const answers: string[] = []
    stream.events = {
      data: ({ bytes }) => answers.push(bytes.toString()),
      end: () => answers.push('end'),
      reset() {},
    }
    stream.write({ bytes: Buffer.from('question') })
    stream.end()
    await until('the end of the question', () => streams[0]?.over.length === 1)
    streams[0]?.stream.write({ bytes: Buffer.from('answer') })
    streams[0]?.stream.end()
    await until('the end of the answer', () => answers.length === 2)
    assert.equal(textOf(streams[0]!.data), 'question')
    assert.deepEqual(answers, ['answer', 'end'])
  })

  it('resets a stream in both directions with the reason', async () => {
    const { streams, onOpen } = listener()
    const ends = endpointPair({ onOpen })
    join(ends)
    const stream = ends.agent.open({})
    stream.write({ bytes: Buffer.from('x') })
    await until('the data', () => streams[0]?.data.length === 1)
    stream.reset('a gap of 3 bytes')
    await until('the reset', () => streams[0]?.over.length === 1)
    assert.deepEqual(streams[0]?.over, ['reset: a gap of 3 bytes'])
    streams[0]?.stream.write({ bytes: Buffer.from('into the void') })
    stream.write({ bytes: Buffer.from('into the void') })
    assert.equal(stream.queuedBytes, 0)
  })

  it('does not tell of a stream that was reset before the other end heard of it', async () => {
    const { streams, onOpen } = listener()
    const ends = endpointPair({ onOpen })
    ends.agent.open({ n: 1 }).reset('never mind')
    ends.agent.open({ n: 2 })
    join(ends)
    await until('the second stream', () => streams.length === 1)
    assert.deepEqual(streams[0]?.payload, { n: 2 })
  })

  it('keeps what arrives until somebody listens', async () => {
    let stream: LinkStream | undefined
    const ends = endpointPair({
      onOpen: opened => {
        stream = opened
      },
    })
    join(ends)
    const sender = ends.agent.open({}, { oneWay: true })
    sender.write({ bytes: Buffer.from('early ') })
    sender.write({ bytes: Buffer.from('bird') })
    sender.end()
    let count = 0n
    await until('quiet', () => {
      const same = count === ends.server.received && count > 3n
      count = ends.server.received
      return same
    })
    const heard: string[] = []
    stream!.events = {
      data: ({ bytes }) => heard.push(bytes.toString()),
      end: () => heard.push('end'),
      reset() {},
    }
    assert.deepEqual(heard, [])
    await until('the end', () => heard.at(-1) === 'end')
    assert.deepEqual(heard, ['early ', 'bird', 'end'])
  })

  it('tells the writer when everything has been handed to the link', async () => {
    const { onOpen } = listener()
    const ends = endpointPair({ onOpen })
    join(ends)
    const stream = ends.agent.open({})
    let drained = 0
    stream.events = {
      data() {},
      end() {},
      reset() {},
      drain: () => {
        drained += 1
      },
    }
    stream.write({ bytes: Buffer.alloc(1_000_000) })
    await until('drain', () => drained > 0)
    assert.equal(stream.queuedBytes, 0)
  })

  it('stops a stream whose reader does not grant at 256 KiB, and no other', async () => {
    const slow = listener({ grants: false })
    const quick = listener()
    const control: unknown[] = []
    const ends = endpointPair({
      onOpen: (stream, payload) =>
        ((payload as { slow: boolean }).slow ? slow : quick).onOpen(stream, payload),
      onControl: value => control.push(value),
    })
    join(ends)
    const stuck = ends.agent.open({ slow: true }, { oneWay: true })
    const going = ends.agent.open({ slow: false })
    stuck.write({ bytes: Buffer.alloc(2_000_000) })
    going.write({ bytes: Buffer.alloc(5_000_000) })
    ends.agent.control({ still: 'here' })
    await until('the quick stream', () => bytesOf(quick.streams[0]?.data ?? []) === 5_000_000)
    assert.equal(bytesOf(slow.streams[0]!.data), initialCreditBytes)
    assert.equal(stuck.queuedBytes, 2_000_000 - initialCreditBytes)
    assert.deepEqual(control, [{ still: 'here' }])
    slow.streams[0]!.stream.grant(initialCreditBytes)
    await until('a second window', () => bytesOf(slow.streams[0]!.data) === 2 * initialCreditBytes)
  })

  it('counts the time of each frame as credit, so that what waits in small frames is bounded too', async () => {
    const ends = endpointPair()
    join(ends)
    const stream = ends.agent.open({})
    for (let n = 0; n < 100_000; n += 1) stream.write({ bytes: Buffer.from('x'), timeMs: n })
    const sent = Math.floor(initialCreditBytes / 9)
    await until('a full window', () => stream.queuedBytes <= 100_000 - sent)
    assert.equal(stream.queuedBytes, 100_000 - sent)
  })

  it('grants no more than was received, whatever the reader says', async () => {
    const slow = listener({ grants: false })
    const ends = endpointPair({ onOpen: slow.onOpen })
    join(ends)
    const stream = ends.agent.open({})
    await until('the stream', () => slow.streams.length === 1)
    slow.streams[0]!.stream.grant(1 << 30)
    stream.write({ bytes: Buffer.alloc(2_000_000) })
    let before = -1
    await until('a full window', () => {
      const same = stream.queuedBytes === before && before < 2_000_000
      before = stream.queuedBytes
      return same
    })
    assert.equal(bytesOf(slow.streams[0]!.data), initialCreditBytes)
  })

  it('gives each stream its turn', async () => {
    const order: number[] = []
    const ends = endpointPair({
      onOpen: stream => {
        stream.events = {
          data: ({ bytes }) => {
            order.push(stream.id)
            stream.grant(bytes.length)
          },
          end() {},
          reset() {},
        }
      },
    })
    for (let n = 0; n < 3; n += 1) ends.agent.open({}).write({ bytes: Buffer.alloc(4 * 65_536) })
    join(ends)
    await until('all frames', () => order.length === 12)
    assert.deepEqual(order, [2, 4, 6, 2, 4, 6, 2, 4, 6, 2, 4, 6])
  })

  it('keeps to its bound when nobody acknowledges: what is over waits in the stream', async () => {
    const { server } = endpointPair({ resendBytes: 1 << 20 })
    let taken = 0
    const carrier = new FakeCarrier((bytes, done) => {
      taken += bytes.length
      done()
    })
    server.attach(carrier, 0n)
    const streams = Array.from({ length: 20 }, () => server.open({}))
    for (const stream of streams) stream.write({ bytes: Buffer.alloc(200_000) })
    let before = -1
    await until('a standstill', () => {
      const same = taken === before && taken > 1 << 20
      before = taken
      return same
    })
    assert.ok(taken < (1 << 20) + 66_000, `${taken} bytes were sent`)
    const queued = streams.reduce((sum, stream) => sum + stream.queuedBytes, 0)
    assert.ok(queued > 2_900_000, `${queued} bytes wait in the streams`)
    server.close('done')
  })

  it('keeps to its bound when the carrier takes nothing', async () => {
    const { server } = endpointPair()
    const carrier = new FakeCarrier(() => {})
    server.attach(carrier, 0n)
    for (let n = 0; n < 100; n += 1) server.open({}).write({ bytes: Buffer.alloc(200_000) })
    await new Promise(resolve => setImmediate(resolve))
    assert.ok(carrier.writableLength < 400_000, `${carrier.writableLength} bytes wait in the carrier`)
    server.close('done')
  })

  it('refuses control when far more than its bound waits for the other end', () => {
    const { server } = endpointPair({ resendBytes: 10_000 })
    assert.throws(
      () => {
        for (let n = 0; n < 1_000; n += 1) server.control({ text: 'x'.repeat(1_000) })
      },
      (error: unknown) => error instanceof Failure && error.kind === 'link-full',
    )
  })

  it('refuses a payload over 1 MiB and a write after the end', () => {
    const { server } = endpointPair()
    const kindOf = (kind: string) => (error: unknown) => error instanceof Failure && error.kind === kind
    assert.throws(() => server.control({ text: 'x'.repeat(1 << 20) }), kindOf('frame-too-large'))
    assert.throws(() => server.open({ text: 'x'.repeat(1 << 20) }), kindOf('frame-too-large'))
    const stream = server.open({})
    stream.end()
    stream.end()
    assert.throws(() => stream.write({ bytes: Buffer.from('x') }), kindOf('stream-ended'))
  })

  it('resets all streams on both sides of close(), and sends nothing any more', async () => {
    const { streams, onOpen } = listener()
    const reasons: string[] = []
    const ends = endpointPair({ onOpen, onDetached: reason => reasons.push(reason) })
    const pair = join(ends)
    const stream = ends.agent.open({})
    const over: string[] = []
    stream.events = { data() {}, end() {}, reset: reason => over.push(reason) }
    await until('the stream', () => streams.length === 1)
    ends.agent.close('the session ended')
    ends.agent.control({ too: 'late' })
    const late = ends.agent.open({})
    late.events = { data() {}, end() {}, reset: reason => over.push(`late: ${reason}`) }
    await until('the drop at the other end', () => reasons.length === 1)
    assert.deepEqual(over, ['the session ended', 'late: the session ended'])
    assert.ok(pair.every(carrier => carrier.destroyed))
    assert.throws(() => ends.agent.attach(carrierPair()[0], 0n), /Cannot open link: it is closed/)
    ends.server.close('link lost')
    await until('the reset', () => streams[0]?.over.length === 1)
    assert.deepEqual(streams[0]?.over, ['reset: link lost'])
  })
})

// A link's connections: how they are lost, replaced and refused.
import assert from 'node:assert/strict'
import { encodeFrame, frameType } from '../../../protocol/link/frame.ts'
import { carrierPair, endpointPair, join, listener, until } from './carriers.ts'

describe('a carrier', () => {
  const wrong: [string, Buffer, RegExp][] = [
    ['a length of 1 GiB', Buffer.from('40000000', 'hex'), /a length of 1073741824 bytes/],
    ['a gap in the sequence', frame(frameType.control, 2n), /sequence 2 came after 0/],
    ['a sequenced frame without sequence', frame(frameType.control, 0n), /type 5 has no sequence/],
    ['a second hello', frame(frameType.hello, 0n), /a hello after the first frame/],
    ['control that is not JSON', frame(frameType.control, 1n, 'no'), /its payload is not JSON/],
    [
      'data for a stream that was never opened',
      frame(frameType.data, 1n, '', 4),
      /stream 4 was never opened/,
    ],
    ['an open of one of our own ids', frame(frameType.open, 1n, '{}', 1), /an open of stream 1/],
    [
      'an ack of what was never sent',
      frame(frameType.ack, 0n, '\0\0\0\0\0\0\0\x01'),
      /an ack of 1, which was never sent/,
    ],
    ['an ack of a wrong length', frame(frameType.ack, 0n, 'x'), /an ack of 1 bytes/],
  ]
  for (const [what, bytes, reason] of wrong) {
    it(`is detached by ${what}, with the reason`, async () => {
      const reasons: string[] = []
      const { server } = endpointPair({ onDetached: text => reasons.push(text) })
      const [near, far] = carrierPair()
      server.attach(near, 0n)
      far.write(bytes)
      await until('onDetached', () => reasons.length === 1)
      assert.match(reasons[0]!, reason)
      assert.equal(server.attached, false)
      assert.ok(near.destroyed)
    })
  }

  it('is replaced by the next one without onDetached', async () => {
    const reasons: string[] = []
    const heard: unknown[] = []
    const ends = endpointPair(
      { onControl: v => heard.push(v) },
      { onDetached: reason => reasons.push(reason) },
    )
    const [, old] = join(ends)
    ends.server.detach('the test says so')
    ends.agent.control({ n: 1 })
    const [near, far] = carrierPair()
    ends.agent.attach(far, ends.server.received)
    ends.server.attach(near, ends.agent.received)
    await until('the value', () => heard.length === 1)
    assert.ok(old.destroyed)
    assert.ok(reasons.length <= 1)
    assert.equal(ends.agent.attached, true)
  })

  it('that was destroyed before it is attached is detached', async () => {
    const reasons: string[] = []
    const { server } = endpointPair({ onDetached: text => reasons.push(text) })
    const [near] = carrierPair()
    near.destroy()
    server.attach(near, 0n)
    await until('onDetached', () => reasons.length === 1)
  })

  it('is refused when the other end has received what was never sent, or forgotten what it had', async () => {
    const heard: unknown[] = []
    const ends = endpointPair({}, { onControl: v => heard.push(v) })
    assert.throws(
      () => ends.server.attach(carrierPair()[0], 1n),
      /has received 1 frames, which does not fit the 0 sent/,
    )
    join(ends)
    for (let n = 0; n < 40; n += 1) ends.server.control({ n })
    await until('all values', () => heard.length === 40)
    await until('a refusal once the ack is there', () => {
      try {
        ends.server.attach(carrierPair()[0], 0n)
        return false
      } catch {
        return true
      }
    })
  })

  it('that delivers a frame twice brings its content once', async () => {
    const heard: unknown[] = []
    const { server } = endpointPair({ onControl: value => heard.push(value) })
    const [near, far] = carrierPair()
    server.attach(near, 0n)
    far.write(frame(frameType.control, 1n, '1'))
    far.write(frame(frameType.control, 1n, '1'))
    far.write(frame(frameType.control, 2n, '2'))
    await until('both values', () => heard.length >= 2)
    assert.deepEqual(heard, [1, 2])
  })

  it('whose sender overruns its credit loses that stream and no other', async () => {
    const { streams, onOpen } = listener({ grants: false })
    const { server } = endpointPair({ onOpen })
    const [near, far] = carrierPair()
    server.attach(near, 0n)
    far.write(frame(frameType.open, 1n, '{}', 2))
    far.write(frame(frameType.data, 2n, 'x'.repeat(200_000), 2))
    far.write(frame(frameType.data, 3n, 'x'.repeat(200_000), 2))
    await until('the reset', () => streams[0]?.over.length === 1)
    assert.deepEqual(streams[0]?.over, ['reset: more data than was granted'])
    assert.equal(server.attached, true)
  })
})

function frame(
  type: (typeof frameType)[keyof typeof frameType],
  sequence: bigint,
  text = '{}',
  stream = 0,
): Buffer {
  return encodeFrame({ type, flags: 0, stream, sequence, payload: Buffer.from(text, 'latin1') })
}

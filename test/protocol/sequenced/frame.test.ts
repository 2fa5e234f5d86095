// Messages in the bytes of a stream.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { frameMessage, longestMessage, Unframer } from '../../../protocol/sequenced/frame.ts'

const bytes = fc.uint8Array({ maxLength: 50 }).map(array => Buffer.from(array))

describe('Unframer', () => {
  it('finds the messages again, empty ones too, however their bytes are cut', () =>
    fc.assert(
      fc.property(fc.array(bytes), fc.array(fc.nat(20), { minLength: 1 }), (messages, cuts) => {
        let rest = Buffer.concat(messages.map(frameMessage))
        const unframer = new Unframer()
        const found: Buffer[] = []
        for (let turn = 0; rest.length > 0; turn++) {
          const size = 1 + cuts[turn % cuts.length]!
          found.push(...unframer.push(rest.subarray(0, size)))
          rest = rest.subarray(size)
        }
        assert.deepEqual(found, messages)
        assert.equal(unframer.isWithin, false)
      }),
    ))

  it('says whether a message has begun', () => {
    const unframer = new Unframer()
    unframer.push(frameMessage(Buffer.from('hello')).subarray(0, 2))
    assert.equal(unframer.isWithin, true)
  })

  it('refuses a message that is longer than any before it waits for its bytes', () => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(longestMessage + 1)
    assert.throws(() => new Unframer().push(head), { kind: 'frame-invalid' })
  })
})

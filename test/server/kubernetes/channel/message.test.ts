// Messages of a channel: their first byte, and how writes of any size are cut into them.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encodeMessage, messageBytes, nextMessage } from '../../../../server/kubernetes/channel/message.ts'

describe('encodeMessage()', () => {
  it('puts the channel before the bytes', () => {
    assert.equal(encodeMessage(0, []).toString('hex'), '00')
    assert.equal(encodeMessage(3, [Buffer.from('ab'), Buffer.from('c')]).toString('hex'), '03616263')
  })
})

describe('nextMessage()', () => {
  it('cuts writes of any size into messages that hold the same bytes, none of them empty or too large', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 3 * messageBytes }), { maxLength: 6 })
    fc.assert(
      fc.property(sizes, lengths => {
        const chunks = lengths.map((length, index) => Buffer.alloc(length, index + 1))
        const messages: Buffer[] = []
        let rest: Buffer[] = chunks
        while (rest.length > 0) {
          const next = nextMessage(rest)
          messages.push(Buffer.concat(next.message))
          rest = next.rest
        }
        assert.ok(messages.every(({ length }) => length > 0 && length <= messageBytes))
        assert.ok(Buffer.concat(messages).equals(Buffer.concat(chunks)))
        assert.equal(messages.length, Math.ceil(Buffer.concat(chunks).length / messageBytes))
      }),
    )
  })
})

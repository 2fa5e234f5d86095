// DNS messages are cut out of a connection's bytes wherever these are cut.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { splitMessages, withLength } from '../../../protocol/names/messages.ts'

describe('splitMessages()', () => {
  it('reads the format of RFC 1035, 4.2.2', () => {
    const seen: string[] = []
    const split = splitMessages(message => seen.push(message.toString('hex')))
    split(Buffer.from('0003abcdef0001', 'hex'))
    split(Buffer.from('77000012', 'hex'))
    assert.deepEqual(seen, ['abcdef', '77', ''])
  })

  it('gives back what withLength() made, however it arrives', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 8 })
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 50 }), (sent, size) => {
        const seen: Buffer[] = []
        const split = splitMessages(message => seen.push(Buffer.from(message)))
        const bytes = Buffer.concat(sent.map(message => withLength(Buffer.from(message))))
        for (let at = 0; at < bytes.length; at += size) split(bytes.subarray(at, at + size))
        assert.deepEqual(
          seen,
          sent.map(message => Buffer.from(message)),
        )
      }),
    )
  })
})

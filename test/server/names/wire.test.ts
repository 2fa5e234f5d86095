// What is read of DNS messages, and that what cannot be read is said to be so.
import assert from 'node:assert/strict'
import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { rcodeOf, rcodes, readQuestion, readReply, writeAnswer } from '../../../server/names/wire.ts'

const question = { id: 0x1234, name: 'web.shop', type: 'A' } as const
const asked = encode({ type: 'query', id: 0x1234, questions: [{ type: 'A', name: 'web.shop' }] })

describe('messages of names', () => {
  it('a question is read', () => assert.deepEqual(readQuestion(asked), question))

  it('an answer gives addresses to the name that was asked for, whatever alias has them', () => {
    const answer = writeAnswer(question, rcodes.noError, [
      { type: 'CNAME', name: 'web.shop', data: 'other' },
      { type: 'A', name: 'other', data: '10.0.0.1' },
      { type: 'AAAA', name: 'other', data: 'fd00::1' },
      { type: 'TXT', name: 'other', data: 'text' },
    ])
    assert.deepEqual(readReply(answer), {
      ...{ name: 'web.shop', type: 'A', addresses: ['10.0.0.1', 'fd00::1'], records: 4 },
    })
  })

  it('an answer that is written says what became of it', () => {
    const {
      id,
      rcode,
      flag_qr: isAnswer,
    } = decode(writeAnswer(question, rcodes.noSuchName, [])) as ReturnType<typeof decode> & {
      rcode: string
      flag_qr: boolean
    }
    assert.deepEqual([id, rcode, isAnswer], [0x1234, 'NXDOMAIN', true])
    assert.equal(rcodeOf(writeAnswer(question, rcodes.noSuchName, [])), 'NXDOMAIN')
    assert.equal(rcodeOf(writeAnswer(question, 9, [])), 'RCODE9')
  })

  it('any bytes are read or refused, and never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
        readQuestion(Buffer.from(bytes))
        readReply(Buffer.from(bytes))
        assert.equal(typeof rcodeOf(Buffer.from(bytes)), 'string')
      }),
    )
    assert.equal(readReply(asked.subarray(0, 14)), undefined)
  })
})

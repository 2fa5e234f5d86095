// What a message's body is: a request, a notification, a response, or an error.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readEnvelope } from '../../../server/rpc/envelope.ts'

const read = (text: string) => readEnvelope(Buffer.from(text))
const wrong = (text: string) => {
  const envelope = read(text)
  assert.ok(envelope.kind === 'wrong')
  return { id: envelope.id, code: envelope.failure.code, message: envelope.failure.message }
}

describe('readEnvelope()', () => {
  it('tells requests, notifications and responses apart', () => {
    const request = { kind: 'request', id: 'a', method: 'm', params: { x: 1 } }
    assert.deepEqual(read('{"jsonrpc":"2.0","id":"a","method":"m","params":{"x":1}}'), request)
    assert.deepEqual(read('{"jsonrpc":"2.0","method":"m"}'), {
      kind: 'notification',
      method: 'm',
      params: undefined,
    })
    assert.deepEqual(read('{"jsonrpc":"2.0","id":1,"result":null}'), { kind: 'response' })
  })

  it('answers malformed JSON and bytes that are not UTF-8 with -32700 and id null', () => {
    assert.deepEqual(wrong('{"id":1'), {
      id: null,
      code: -32700,
      message: 'Cannot read message: malformed JSON',
    })
    const invalid = readEnvelope(Buffer.from([0x22, 0xff, 0x22]))
    assert.ok(invalid.kind === 'wrong' && invalid.failure.message === 'Cannot read message: not UTF-8')
  })

  it('refuses batches, other versions, bad ids and bad methods with -32600', () => {
    assert.match(wrong('[{"jsonrpc":"2.0","id":1,"method":"m"}]').message, /batches are not supported/)
    assert.equal(wrong('7').code, -32600)
    assert.deepEqual(wrong('{"id":3,"method":"m"}').id, 3)
    assert.match(wrong('{"jsonrpc":"2.0","id":3}').message, /"method" is not a string/)
    for (const id of ['null', '1.5', '{}', 'true']) {
      assert.match(wrong(`{"jsonrpc":"2.0","id":${id},"method":"m"}`).message, /"id" is neither/)
    }
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array(), bytes => void readEnvelope(bytes)))
    fc.assert(fc.property(fc.json(), text => void read(text)))
  })
})

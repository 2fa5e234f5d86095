// Which bytes are taken for the beginning of an HTTP/1 message.
import assert from 'node:assert/strict'
import {
  beginsRequestLine,
  beginsStatusLine,
  couldBeRequest,
  couldBeResponse,
} from '../../../../server/traffic/http/start-line.ts'

describe('beginsRequestLine()', () => {
  const yes = [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /cart?x=1 HTTP/1.0\r\n',
    'PURGE http://shop/ HTTP/1.1\r\n',
    'CONNECT db:5432 HTTP/1.1\r\n',
    `GET /${'a'.repeat(70_000)}`,
    'GET /cut',
    'GET /cut HTT',
    'OPTIONS * HTTP/1.1\r',
  ]
  for (const text of yes) {
    it(`says yes to "${JSON.stringify(text).slice(1, 40)}"`, () =>
      assert.equal(beginsRequestLine(Buffer.from(text)), true))
  }
  const no = [
    '',
    'GET',
    'GET ',
    ' GET / HTTP/1.1\r\n',
    'GET  / HTTP/1.1\r\n',
    'GET / HTTP/2.0\r\n',
    'GET / HTTP/1.12\r\n',
    'GET /\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/1.1 200 OK\r\n',
    '{"a": 1}',
    '\x16\x03\x01\x02\x00\x01',
    'GET / HTTP/1.1 \r\n',
    'GET /\x00 HTTP/1.1\r\n',
    'GET / HTTP/1.1\nHost: a\n\n',
  ]
  for (const text of no) {
    it(`says no to ${JSON.stringify(text)}`, () =>
      assert.equal(beginsRequestLine(Buffer.from(text, 'latin1')), false))
  }
})

describe('beginsStatusLine()', () => {
  for (const text of ['HTTP/1.1 200 OK\r\n', 'HTTP/1.0 404 \r\n', 'HTTP/1.1 200\r\n'])
    it(`says yes to ${JSON.stringify(text)}`, () => assert.equal(beginsStatusLine(Buffer.from(text)), true))
  for (const text of [
    '',
    'HTTP/1.1 200',
    'HTTP/2 200 OK',
    'HTTP/1.1 099 X',
    'xHTTP/1.1 200 OK',
    'GET / HTTP/1.1\r\n',
  ])
    it(`says no to ${JSON.stringify(text)}`, () => assert.equal(beginsStatusLine(Buffer.from(text)), false))
})

describe('couldBeRequest() and couldBeResponse()', () => {
  it('say yes to every prefix of a first line', () => {
    const request = 'DELETE /a/b HTTP/1.1\r\n'
    const response = 'HTTP/1.0 503 Service Unavailable\r\n'
    for (let length = 1; length <= request.length; length++)
      assert.ok(couldBeRequest(request.slice(0, length)), `${length}`)
    for (let length = 1; length <= response.length; length++)
      assert.ok(couldBeResponse(response.slice(0, length)), `${length}`)
  })
  it('say no at the first byte of another protocol', () => {
    assert.equal(couldBeRequest('\x16'), false)
    assert.equal(couldBeResponse('S'), false)
    assert.equal(couldBeResponse('HTTP/2'), false)
  })
})

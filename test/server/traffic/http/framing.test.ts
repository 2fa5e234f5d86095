// Where the body of a message ends, and which heads are refused because two readers could disagree.
import assert from 'node:assert/strict'
import { type Framing, requestFraming, responseFraming } from '../../../../server/traffic/http/framing.ts'
import { readRequestHead, readResponseHead } from '../../../../server/traffic/http/head.ts'

const requestOf = (...lines: string[]) => {
  const head = readRequestHead(lines.join('\r\n'))
  return head && requestFraming(head)
}
const responseOf = (method: string, ...lines: string[]) => {
  const head = readResponseHead(lines.join('\r\n'))
  return head && responseFraming(head, method)
}

describe('requestFraming()', () => {
  const post = 'POST / HTTP/1.1'
  const cases: [string, string[], Framing | undefined][] = [
    ['no body without a length', ['GET / HTTP/1.1', 'Host: a'], { body: 'none' }],
    ['a length', [post, 'content-LENGTH: 12'], { body: 'length', bytes: 12 }],
    ['a length of 0', [post, 'Content-Length: 0'], { body: 'none' }],
    ['chunks', [post, 'Transfer-Encoding: Chunked'], { body: 'chunked' }],
    ['chunks around a coding', [post, 'Transfer-Encoding: gzip, chunked'], { body: 'chunked' }],
    ['a tunnel after CONNECT', ['CONNECT a:1 HTTP/1.1'], { body: 'tunnel' }],
    [
      'ambiguity of length and chunks',
      [post, 'Content-Length: 3', 'Transfer-Encoding: chunked'],
      { body: 'ambiguous' },
    ],
    ['ambiguity of two lengths', [post, 'Content-Length: 3', 'Content-Length: 3'], { body: 'ambiguous' }],
    ['ambiguity of a list of lengths', [post, 'Content-Length: 3, 3'], { body: 'ambiguous' }],
    ['ambiguity of a signed length', [post, 'Content-Length: +3'], { body: 'ambiguous' }],
    ['ambiguity of a huge length', [post, 'Content-Length: 9999999999999999'], { body: 'ambiguous' }],
    ['ambiguity of an empty length', [post, 'Content-Length:'], { body: 'ambiguous' }],
    [
      'ambiguity of chunks that are not last',
      [post, 'Transfer-Encoding: chunked, gzip'],
      { body: 'ambiguous' },
    ],
    ['ambiguity of chunks twice', [post, 'Transfer-Encoding: chunked, chunked'], { body: 'ambiguous' }],
    [
      'ambiguity of two codings',
      [post, 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'],
      { body: 'ambiguous' },
    ],
    ['ambiguity of an unknown coding', [post, 'Transfer-Encoding: xchunked'], { body: 'ambiguous' }],
    [
      'ambiguity of chunks in HTTP/1.0',
      ['POST / HTTP/1.0', 'Transfer-Encoding: chunked'],
      { body: 'ambiguous' },
    ],
    ['no head in a folded line', [post, 'A: b', ' c'], undefined],
    ['no head in a space before the colon', [post, 'Content-Length : 3'], undefined],
    ['no head in a control character', [post, 'A: b\x00c'], undefined],
    ['no head in a name that is none', [post, 'A(: b'], undefined],
    ['no head in a line without a colon', [post, 'Host'], undefined],
  ]
  for (const [name, lines, expected] of cases)
    it(`sees ${name}`, () => assert.deepEqual(requestOf(...lines), expected))
})

describe('responseFraming()', () => {
  const ok = 'HTTP/1.1 200 OK'
  const cases: [string, string, string[], Framing | undefined][] = [
    ['a body until the end', 'GET', [ok], { body: 'close' }],
    ['a length', 'GET', [ok, 'Content-Length: 5'], { body: 'length', bytes: 5 }],
    ['no body for HEAD', 'HEAD', [ok, 'Content-Length: 5'], { body: 'none' }],
    ['no body with 204', 'GET', ['HTTP/1.1 204 No Content'], { body: 'none' }],
    ['no body with 304', 'GET', ['HTTP/1.1 304 Not Modified', 'Content-Length: 5'], { body: 'none' }],
    ['no body with 100', 'POST', ['HTTP/1.1 100 Continue'], { body: 'none' }],
    [
      'another protocol after 101',
      'GET',
      ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket'],
      { body: 'tunnel' },
    ],
    ['a tunnel after CONNECT', 'CONNECT', [ok], { body: 'tunnel' }],
    [
      'a body when CONNECT is refused',
      'CONNECT',
      ['HTTP/1.1 407 No', 'Content-Length: 2'],
      { body: 'length', bytes: 2 },
    ],
    ['chunks', 'GET', [ok, 'Transfer-Encoding: chunked'], { body: 'chunked' }],
    ['a body until the end with another coding', 'GET', [ok, 'Transfer-Encoding: gzip'], { body: 'close' }],
    [
      'ambiguity of length and chunks',
      'GET',
      [ok, 'Content-Length: 3', 'Transfer-Encoding: chunked'],
      { body: 'ambiguous' },
    ],
    ['a missing reason', 'GET', ['HTTP/1.1 200', 'Content-Length: 1'], { body: 'length', bytes: 1 }],
    ['no head in a status of two digits', 'GET', ['HTTP/1.1 20 OK'], undefined],
  ]
  for (const [name, method, lines, expected] of cases)
    it(`sees ${name}`, () => assert.deepEqual(responseOf(method, ...lines), expected))
})

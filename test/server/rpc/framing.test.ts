// Messages cut out of a stream by their headers, and the headers that are refused.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Failure } from '../../../protocol/errors.ts'
import { encodeMessage, MessageReader, maxBodyBytes, maxHeaderBytes } from '../../../server/rpc/framing.ts'

function readAll(reader: MessageReader, ...chunks: (string | Buffer)[]): string[] {
  return chunks.flatMap(chunk => [...reader.read(Buffer.from(chunk as string))].map(String))
}

function refused(header: string): string {
  try {
    readAll(new MessageReader(), header)
  } catch (thrown) {
    assert.ok(thrown instanceof Failure && thrown.kind === 'parse-failed')
    return thrown.message
  }
  return assert.fail('it was read')
}

describe('MessageReader', () => {
  it('gives the bodies of messages, however they arrive in pieces', () => {
    const body = fc.array(fc.constantFrom('a', '\r\n', '{', 'é', '😀')).map(list => ({ text: list.join('') }))
    fc.assert(
      fc.property(fc.array(body), fc.array(fc.nat(40)), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(encodeMessage))
        const chunks: Buffer[] = []
        let at = 0
        for (const cut of [...cuts, bytes.length]) {
          chunks.push(bytes.subarray(at, at + cut))
          at += cut
        }
        chunks.push(bytes.subarray(at))
        const bodies = readAll(new MessageReader(), ...chunks)
        assert.deepEqual(
          bodies.map(text => JSON.parse(text)),
          messages,
        )
      }),
    )
  })

  it('reads headers in any case, with other headers, and with LF alone', () => {
    const type = 'Content-Type: application/vscode-jsonrpc; charset=utf8'
    assert.deepEqual(readAll(new MessageReader(), `content-length:2\r\n${type}\r\n\r\n{}`), ['{}'])
    assert.deepEqual(readAll(new MessageReader(), 'Content-Length: 2\n\n{}'), ['{}'])
    assert.deepEqual(readAll(new MessageReader(), `${type}\nContent-Length: 2\r\n\n[]`), ['[]'])
  })

  it('says whether it is between two messages', () => {
    const reader = new MessageReader()
    assert.equal(reader.betweenMessages, true)
    readAll(reader, 'Content-Length: 2\r\n\r\n{')
    assert.equal(reader.betweenMessages, false)
    readAll(reader, '}')
    assert.equal(reader.betweenMessages, true)
  })

  it('gives the messages before a bad header', () => {
    const bodies: string[] = []
    assert.throws(() => {
      for (const body of new MessageReader().read(Buffer.from('Content-Length: 2\r\n\r\n{}Oops\r\n\r\n'))) {
        bodies.push(String(body))
      }
    })
    assert.deepEqual(bodies, ['{}'])
  })

  it('refuses a Content-Length of 1 GiB without waiting for it', () => {
    assert.match(
      refused(`Content-Length: ${2 ** 30}\r\n\r\n`),
      /1073741824 bytes, the limit is 67108864 bytes/,
    )
    assert.match(refused(`Content-Length: ${maxBodyBytes + 1}\r\n\r\n`), /the limit is/)
    assert.match(refused('Content-Length: 99999999999999999999\r\n\r\n'), /Content-Length of "9999/)
  })

  it('refuses bad headers, each with what is wrong', () => {
    assert.match(refused('Hello\r\n\r\n'), /a bad header line "Hello"/)
    assert.match(refused('\r\n\r\n'), /a bad header line ""/)
    assert.match(refused('Content-Length: 0\r\n\r\n'), /0 bytes/)
    assert.match(refused('Content-Length: -1\r\n\r\n'), /Content-Length of "-1"/)
    assert.match(refused('Content-Length: 2\r\nContent-Length: 3\r\n\r\n'), /two Content-Length/)
    assert.match(refused('Content-Type: text/plain\r\n\r\n'), /no Content-Length/)
    assert.match(refused('Content-Length: 2\r\nContent-Type: a; charset=utf-16\r\n\r\n'), /charset "utf-16"/)
  })

  it('refuses a header that never ends, in one piece or in many', () => {
    assert.match(refused('a'.repeat(maxHeaderBytes + 1)), /a header of more than 8192 bytes/)
    assert.match(refused('a'.repeat(1 << 20)), /a header of more than 8192 bytes/)
    const reader = new MessageReader()
    assert.throws(() => {
      for (let sent = 0; sent <= maxHeaderBytes; sent++) readAll(reader, 'a')
    }, /a header of more than/)
  })
})

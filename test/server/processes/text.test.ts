// Output as text or base64, whatever its bytes are and however they are cut.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { incompleteTail, OutputText, pieceBytes } from '../../../server/processes/text.ts'

const bytesOf = ({ encoding, data }: { encoding: BufferEncoding; data: string }) =>
  Buffer.from(data, encoding)

/** Texts of characters of each length in UTF-8. */
const characters = fc
  .array(fc.constantFrom('a', '\n', 'é', '€', '😀', '\u0000', '\ufeff'), { minLength: 1 })
  .map(list => list.join(''))

describe('OutputText', () => {
  it('gives the bytes back whatever they are and however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            characters.map(text => Buffer.from(text)),
          ),
        ),
        chunks => {
          const text = new OutputText()
          const pieces = [...chunks.flatMap(chunk => text.write(Buffer.from(chunk))), ...text.end()]
          assert.ok(Buffer.concat(pieces.map(bytesOf)).equals(Buffer.concat(chunks)))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('is text for UTF-8 that is cut within characters', () => {
    fc.assert(
      fc.property(characters, fc.nat(20), (string, size) => {
        const text = new OutputText()
        const bytes = Buffer.from(string)
        const pieces = []
        for (let at = 0; at < bytes.length; at += size + 1)
          pieces.push(...text.write(bytes.subarray(at, at + size + 1)))
        pieces.push(...text.end())
        assert.ok(pieces.every(({ encoding }) => encoding === 'utf8'))
        assert.equal(pieces.map(({ data }) => data).join(''), string)
      }),
    )
  })

  it('is base64 for what is not UTF-8', () => {
    assert.deepEqual(new OutputText().write(Buffer.from([0xff, 0x41])), [
      { encoding: 'base64', data: '/0E=' },
    ])
  })

  it('keeps a byte order mark', () => {
    assert.deepEqual(new OutputText().write(Buffer.from('\ufeffa')), [{ encoding: 'utf8', data: '\ufeffa' }])
  })

  it('gives at most 64 KiB a piece', () => {
    const pieces = new OutputText().write(Buffer.from('é'.repeat(pieceBytes)))
    assert.ok(pieces.length >= 2 && pieces.every(piece => bytesOf(piece).length <= pieceBytes))
  })

  it('gives a character that never becomes complete at the end', () => {
    const text = new OutputText()
    assert.deepEqual(text.write(Buffer.from([0xe2, 0x82])), [])
    assert.deepEqual(text.end(), [{ encoding: 'base64', data: '4oI=' }])
    assert.deepEqual(text.end(), [])
  })
})

describe('incompleteTail()', () => {
  it('counts the bytes of a cut character', () => {
    const euro = Buffer.from('€')
    assert.equal(incompleteTail(euro), 0)
    assert.equal(incompleteTail(euro.subarray(0, 2)), 2)
    assert.equal(incompleteTail(Buffer.from('😀').subarray(0, 3)), 3)
    assert.equal(incompleteTail(Buffer.from([0x80, 0x80])), 0)
    assert.equal(incompleteTail(Buffer.alloc(0)), 0)
  })
})

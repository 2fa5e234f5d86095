// How much of a body is kept, and when it is text.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BodyKeeper, writeBody } from '../../../server/traffic/body.ts'

describe('BodyKeeper', () => {
  it('keeps the first bytes however they come, and says whether there were more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 20 })),
        fc.integer({ min: 1, max: 60 }),
        (pieces, limitBytes) => {
          const keeper = new BodyKeeper(limitBytes)
          for (const piece of pieces) keeper.add(Buffer.from(piece))
          const all = Buffer.concat(pieces)
          const kept = keeper.result({ whole: true })
          const expected = { bytes: all.subarray(0, limitBytes), truncated: all.length > limitBytes }
          assert.deepEqual(kept, all.length === 0 ? undefined : expected)
        },
      ),
    )
  })
  it('keeps nothing behind a hole', () => {
    const keeper = new BodyKeeper(10)
    keeper.add(Buffer.from('ab'))
    keeper.skip(3)
    keeper.add(Buffer.from('f'))
    assert.deepEqual(keeper.result({ whole: true }), { bytes: Buffer.from('ab'), truncated: true })
  })
  it('calls a body truncated whose end was not seen', () => {
    const keeper = new BodyKeeper(10)
    keeper.add(Buffer.from('ab'))
    assert.equal(keeper.result({ whole: false })?.truncated, true)
  })
  it('keeps nothing when none was asked for', () => {
    const keeper = new BodyKeeper(0)
    keeper.add(Buffer.from('ab'))
    assert.equal(keeper.result({ whole: true }), undefined)
  })
})

describe('writeBody()', () => {
  it('writes a prefix of text as text at every cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.nat(40), (text, limitBytes) => {
        const body = writeBody({ bytes: Buffer.from(text), truncated: false }, limitBytes)
        assert.equal(body.encoding, 'utf8')
        assert.ok(text.startsWith(body.data))
        assert.ok(
          Buffer.byteLength(text) <= limitBytes
            ? body.data === text
            : Buffer.byteLength(body.data) > limitBytes - 4,
        )
      }),
    )
  })
  it('writes bytes that are not text as base64', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00])
    assert.deepEqual(writeBody({ bytes, truncated: false }, 100), {
      encoding: 'base64',
      data: '//4A',
      truncated: false,
    })
    assert.deepEqual(writeBody({ bytes, truncated: false }, 2), {
      encoding: 'base64',
      data: '//4=',
      truncated: true,
    })
  })
})

// Unions of messages: the member that a value names is the one that is checked and spoken of.
import assert from 'node:assert/strict'
import * as t from 'io-ts'
import { count, decode, object, oneOf } from '../../protocol/codec.ts'
import { tagged } from '../../protocol/tagged.ts'

const circle = object('Circle', { shape: [oneOf('circle'), 'a circle'], radius: [count, 'its radius'] })
const box = object('Box', { shape: [oneOf('square', 'oblong'), 'a box'], width: [count, 'its width'] })
const line = object('Line', { shape: [oneOf('line'), 'a line'], length: [count, 'its length'] })
const shape = tagged('shape', [circle, box, line])

describe('tagged()', () => {
  for (const value of [
    { shape: 'circle', radius: 1 },
    { shape: 'square', width: 2 },
    { shape: 'oblong', width: 3 },
    { shape: 'line', length: 4 },
  ])
    it(`takes a ${value.shape}`, () => assert.deepEqual(decode(shape, value), { ok: true, value }))

  it('names what is wrong with the member that was meant, and with no other', () => {
    assert.deepEqual(decode(shape, { shape: 'oblong', radius: 1 }), {
      ok: false,
      faults: [
        'width: expected whole number, 0 or more, got nothing',
        'radius: unknown field; the fields are shape, width',
      ],
    })
  })

  for (const value of [{ shape: 'star' }, { radius: 1 }, null, 'circle', { shape: 'toString' }])
    it(`refuses ${JSON.stringify(value)}`, () => assert.equal(decode(shape, value).ok, false))

  it('looks into the unions among its members', () => {
    const more = tagged('shape', [shape, object('Dot', { shape: [oneOf('dot'), 'a dot'] })])
    for (const value of [{ shape: 'line', length: 1 }, { shape: 'dot' }])
      assert.deepEqual(decode(more, value), { ok: true, value })
  })

  it('tries all members where two have one tag', () => {
    const wide = object('Wide', { shape: [oneOf('line'), 'a line'], width: [count, 'its width'] })
    const both = tagged('shape', [line, wide])
    for (const value of [
      { shape: 'line', length: 1 },
      { shape: 'line', width: 1 },
    ])
      assert.deepEqual(decode(both, value), { ok: true, value })
  })

  it('is made of objects that have the tag', () => {
    assert.throws(() => tagged('form', [circle, line]), /^Error: Cannot tell Circle by its field "form"$/)
    assert.throws(
      () => tagged('shape', [circle, t.string]),
      /^Error: Cannot make a union of messages of string/,
    )
  })
})

// Our codecs: which values they accept, and how they name each fault of the others.
import assert from 'node:assert/strict'
import * as t from 'io-ts'
import { count, decode, object, oneOf, port } from '../../protocol/codec.ts'

const shape = object(
  'Shape',
  { name: [t.string, 'a name'], inner: [object('Inner', { port: [port, 'a port'] }), 'nested'] },
  { size: [count, 'a size'] },
)

describe('object()', () => {
  it('gives the value back when all is right', () => {
    assert.deepEqual(decode(shape, { name: 'a', inner: { port: 1 } }), {
      ok: true,
      value: { name: 'a', inner: { port: 1 } },
    })
  })

  const refusals: [string, unknown, string[]][] = [
    ['a missing field', { inner: { port: 1 } }, ['name: expected string, got nothing']],
    ['a wrong type', { name: 3, inner: { port: 1 } }, ['name: expected string, got 3']],
    [
      'a nested fault by its path',
      { name: 'a', inner: { port: 0 } },
      ['inner.port: expected port (1-65535), got 0'],
    ],
    [
      'an unknown field',
      { name: 'a', inner: { port: 1 }, nmae: 'b' },
      ['nmae: unknown field (did you mean "name"?); the fields are name, inner, size'],
    ],
    [
      'an unknown field that every object of JavaScript has',
      { name: 'a', inner: { port: 1 }, toString: 0 },
      ['toString: unknown field; the fields are name, inner, size'],
    ],
    [
      'several faults at once',
      { size: -1, inner: {} },
      [
        'name: expected string, got nothing',
        'inner.port: expected port (1-65535), got nothing',
        'size: expected whole number, 0 or more, got -1',
      ],
    ],
    ['an array', [], ['value: expected an object']],
    ['null', null, ['value: expected an object']],
  ]
  for (const [name, value, faults] of refusals) {
    it(`names ${name}`, () => assert.deepEqual(decode(shape, value), { ok: false, faults }))
  }

  it('lets an optional field be undefined', () => {
    assert.deepEqual(decode(shape, { name: 'a', inner: { port: 1 }, size: undefined }), {
      ok: true,
      value: { name: 'a', inner: { port: 1 } },
    })
  })
})

describe('faults() of a union', () => {
  const either = object(
    'Either',
    {},
    {
      env: [t.union([t.boolean, shape]), 'off or a shape'],
      vars: [t.record(t.string, t.union([t.string, t.null])), 'variables'],
    },
  )
  const cases: [string, unknown, string[]][] = [
    ['names the members when none fits', { env: 'yes' }, ['env: expected boolean or an object, got "yes"']],
    [
      'names them once, by the path of the value',
      { vars: { A: 5 } },
      ['vars.A: expected string or null, got 5'],
    ],
    [
      'tells what is wrong inside the member that was meant, and nothing of the others',
      { env: { name: 'a', inner: { port: 0 } } },
      ['env.inner.port: expected port (1-65535), got 0'],
    ],
  ]
  for (const [name, value, faults] of cases) {
    it(name, () => assert.deepEqual(decode(either, value), { ok: false, faults }))
  }

  it('has no path at the top', () => {
    const union = t.union([object('Nothing', {}), t.null])
    assert.deepEqual(decode(union, [1]), {
      ok: false,
      faults: ['value: expected an object or null, got [1]'],
    })
    assert.deepEqual(decode(union, { a: 1 }), {
      ok: false,
      faults: ['a: unknown field; the fields are none'],
    })
  })
})

describe('faults()', () => {
  it('tells 20, and how many more there are', () => {
    const result = decode(t.array(t.string), Array(100_000).fill(1))
    assert.ok(!result.ok)
    assert.equal(result.faults.length, 21)
    assert.deepEqual(result.faults.slice(19), ['19: expected string, got 1', 'and 99980 more'])
  })
})

describe('oneOf()', () => {
  it('accepts its values only', () => {
    assert.equal(oneOf('a', 'b').is('a'), true)
    assert.equal(oneOf('a', 'b').is('c'), false)
  })
})

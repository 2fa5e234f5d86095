// The JSON Schema of a codec accepts and refuses what the codec does, on random values judged by ajv.
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import type { Mixed } from 'io-ts'
import { decode, object } from '../../protocol/codec.ts'
import { sessionConfig } from '../../protocol/config.ts'
import { messages } from '../../protocol/rpc/messages.ts'
import { type Definitions, schemaOf } from '../../schemas/json-schema.ts'

function validatorOf(codec: Mixed) {
  const definitions: Definitions = new Map()
  const root = schemaOf(codec, definitions)
  return new Ajv2020({ strict: false }).compile({ ...root, $defs: Object.fromEntries(definitions) })
}

/** The value with one place in it replaced, removed or added, wherever the path of numbers leads. */
function mutated(value: unknown, path: number[], replacement: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined || typeof value !== 'object' || value === null) return replacement
  const entries = Object.entries(value)
  const at = step % (entries.length + 2)
  if (at === entries.length) return { ...value, strange: replacement }
  if (at === entries.length + 1)
    return Array.isArray(value) ? value.slice(1) : Object.fromEntries(entries.slice(1))
  const [key, inner] = entries[at]!
  const changed = mutated(inner, rest, replacement)
  return Array.isArray(value)
    ? value.map((each, i) => (String(i) === key ? changed : each))
    : { ...value, [key]: changed }
}

const cases: [string, Mixed, unknown][] = [
  ...messages.map((m): [string, Mixed, unknown] => [`${m.method} params`, m.params, m.example.params]),
  ...messages.flatMap((m): [string, Mixed, unknown][] =>
    m.kind === 'request' ? [[`${m.method} result`, m.result, m.example.result]] : [],
  ),
  [
    'configuration',
    sessionConfig,
    {
      target: 'process/1',
      feature: { env: { include: ['A*'], unset: ['B'] }, network: { incoming: { port_mapping: [[1, 2]] } } },
    },
  ],
]

describe('schemaOf()', () => {
  for (const [name, codec, example] of cases) {
    it(`accepts and refuses what the codec does: ${name}`, () => {
      const validate = validatorOf(codec)
      assert.ok(validate(example), JSON.stringify(validate.errors))
      assert.deepEqual(decode(codec, example), { ok: true, value: example })
      fc.assert(
        fc.property(
          fc.array(fc.nat(12), { maxLength: 5 }),
          fc.jsonValue({ maxDepth: 2 }),
          (path, replacement) => {
            // JSON has no -0, and a __proto__ key is no field
            const value = JSON.parse(JSON.stringify(mutated(example, path, replacement)) ?? 'null')
            assert.equal(decode(codec, value).ok, validate(value), JSON.stringify(value))
          },
        ),
        { numRuns: 60 },
      )
    })
  }

  it('refuses two different objects of one name', () => {
    const definitions: Definitions = new Map()
    schemaOf(object('Same', {}), definitions)
    const other = object('Same', { field: [object('Inner', {}), 'a field'] })
    assert.throws(() => schemaOf(other, definitions), /two different objects have that name/)
  })
})

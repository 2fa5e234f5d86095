// JSON Schema (draft 2020-12) from the io-ts codecs of protocol/: named objects become definitions, everything else is written in place.
import type * as t from 'io-ts'
import { count, ObjectType, port } from '../protocol/codec.ts'

export type Schema = { readonly [key: string]: unknown }
/** Definitions by name, filled as codecs are read. */
export type Definitions = Map<string, Schema>

type Tagged = t.Mixed & {
  readonly _tag?: string
  readonly types?: readonly t.Mixed[]
  readonly type?: t.Mixed
  readonly codomain?: t.Mixed
  readonly keys?: Record<string, unknown>
  readonly value?: unknown
}

/** The schema of a codec. Throws for a codec that it does not know, and for two different objects of one name. */
export function schemaOf(codec: t.Mixed, definitions: Definitions): Schema {
  if (codec === count) return { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
  if (codec === port) return { type: 'integer', minimum: 1, maximum: 65535 }
  if (codec instanceof ObjectType) return define(codec, definitions)
  const tagged = codec as Tagged
  const many = () => (tagged.types ?? []).map(each => schemaOf(each, definitions))
  switch (tagged._tag) {
    case 'StringType':
      return { type: 'string' }
    case 'NumberType':
      return { type: 'number' }
    case 'BooleanType':
      return { type: 'boolean' }
    case 'NullType':
      return { type: 'null' }
    case 'LiteralType':
      return { const: tagged.value }
    case 'KeyofType':
      return { enum: Object.keys(tagged.keys ?? {}) }
    case 'UnionType':
      return { anyOf: many() }
    case 'TupleType':
      return { type: 'array', prefixItems: many(), minItems: many().length, maxItems: many().length }
    case 'ArrayType':
      return { type: 'array', items: schemaOf(tagged.type!, definitions) }
    case 'DictionaryType':
      return { type: 'object', additionalProperties: schemaOf(tagged.codomain!, definitions) }
    case 'AnyDictionaryType':
      return { type: 'object' }
    default:
      throw new Error(`Cannot write a schema for codec "${codec.name}": its tag "${tagged._tag}" is unknown`)
  }
}

type AnyObject = ObjectType<
  Record<string, readonly [t.Mixed, string]>,
  Record<string, readonly [t.Mixed, string]>
>

function define(codec: AnyObject, definitions: Definitions): Schema {
  const fields = Object.entries({ ...codec.required, ...codec.optional })
  const schema = {
    type: 'object',
    properties: Object.fromEntries(
      fields.map(([name, [type, summary]]) => [
        name,
        { description: summary, ...schemaOf(type, definitions) },
      ]),
    ),
    required: Object.keys(codec.required),
    additionalProperties: false,
  }
  const known = definitions.get(codec.name)
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
    throw new Error(`Cannot define "${codec.name}": two different objects have that name`)
  }
  definitions.set(codec.name, schema)
  return { $ref: `#/$defs/${codec.name}` }
}

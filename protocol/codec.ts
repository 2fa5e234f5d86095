// The shape of every message: io-ts codecs that refuse unknown fields, name the field that is wrong, and carry their own documentation.
import * as t from 'io-ts'
import { suggestion } from './suggest.ts'

type Field = readonly [codec: t.Mixed, summary: string]
type Fields = Readonly<Record<string, Field>>
type Simplify<T> = { [K in keyof T]: T[K] }
export type ObjectOf<R extends Fields, O extends Fields> = Simplify<
  { [K in keyof R]: t.TypeOf<R[K][0]> } & { [K in keyof O]?: t.TypeOf<O[K][0]> | undefined }
>

/** An object codec that remembers its fields and their summaries for the schema generator. */
export class ObjectType<R extends Fields, O extends Fields> extends t.Type<ObjectOf<R, O>, unknown, unknown> {
  readonly _tag = 'ObjectType' as const
  constructor(
    name: string,
    readonly required: R,
    readonly optional: O,
    check: t.Validate<unknown, ObjectOf<R, O>>,
    is: (value: unknown) => value is ObjectOf<R, O>,
  ) {
    super(name, is, check, value => value)
  }
}

/**
 * A JSON object with exactly these fields: `required` must be there, `optional` may be missing or undefined.
 * Any other field is refused by name, because a misspelt option that is silently ignored costs its user an afternoon.
 */
export function object<R extends Fields, O extends Fields = Record<never, Field>>(
  name: string,
  required: R,
  optional: O = {} as O,
): ObjectType<R, O> {
  const known: Fields = { ...required, ...optional }
  const names = Object.keys(known)
  const check: t.Validate<unknown, ObjectOf<R, O>> = (value, context) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return t.failure(value, context, 'expected an object')
    const errors: t.Errors = []
    const checked: Record<string, unknown> = {}
    for (const [key, [codec]] of Object.entries(known)) {
      const given = (value as Record<string, unknown>)[key]
      if (given === undefined && key in optional) continue
      const result = codec.validate(given, t.appendContext(context, key, codec, given))
      if (result._tag === 'Left') errors.push(...result.left)
      else checked[key] = result.right
    }
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(known, key)) continue
      const at = t.appendContext(context, key, t.never, (value as Record<string, unknown>)[key])
      errors.push({
        value,
        context: at,
        // Made when it is read: most are of the members of a union that the value is not meant for.
        get message() {
          return `unknown field${suggestion(key, names)}; the fields are ${names.join(', ') || 'none'}`
        },
      })
    }
    return errors.length > 0 ? t.failures(errors) : t.success(checked as ObjectOf<R, O>)
  }
  const is = (value: unknown): value is ObjectOf<R, O> => check(value, [])._tag === 'Right'
  return new ObjectType(name, required, optional, check, is)
}

/** One of these strings. */
export function oneOf<const T extends readonly string[]>(...values: T): t.KeyofC<{ [K in T[number]]: null }> {
  return t.keyof(Object.fromEntries(values.map(value => [value, null])) as { [K in T[number]]: null })
}

/** Nobody reads more, and a value can have millions. */
const maxFaults = 20

/**
 * What is wrong with a value, one sentence an error, each beginning with the path of the field: `config.env.include: expected string`.
 * Of a union it tells what is wrong inside the member that the value was meant for, else what the members are.
 */
export function faults(errors: t.Errors): string[] {
  const entered = new Set(
    errors.flatMap(({ context }) => context.slice(0, -2).filter(({ type }) => type instanceof t.UnionType)),
  )
  const sentences = errors.flatMap(({ context, message, value }) => {
    const union = context.at(-2)
    if (!(union?.type instanceof t.UnionType))
      return [`${pathOf(context)}: ${message ?? expected(context.at(-1)?.type, value)}`]
    return entered.has(union) ? [] : [`${pathOf(context.slice(0, -1))}: ${expected(union.type, value)}`]
  })
  const different = [...new Set(sentences)]
  const rest = different.length - maxFaults
  return rest > 0 ? [...different.slice(0, maxFaults), `and ${rest} more`] : different
}

/** Without the numbers of a union's members, which say nothing to whoever wrote the value. */
function pathOf(context: t.Context): string {
  const keys = context.filter((_, index) => !(context[index - 1]?.type instanceof t.UnionType))
  return (
    keys
      .map(({ key }) => key)
      .filter(key => key !== '')
      .join('.') || 'value'
  )
}

function expected(type: t.Decoder<unknown, unknown> | undefined, value: unknown): string {
  const shown = value === undefined ? 'nothing' : JSON.stringify(value)?.slice(0, 80)
  return `expected ${type === undefined ? 'another type' : nameOf(type)}, got ${shown}`
}

function nameOf(type: t.Decoder<unknown, unknown>): string {
  if (type instanceof ObjectType) return 'an object'
  return type instanceof t.UnionType ? type.types.map(nameOf).join(' or ') : type.name
}

/** The value as its codec's type, or the list of what is wrong with it. */
export function decode<A>(
  codec: t.Decoder<unknown, A>,
  value: unknown,
): { ok: true; value: A } | { ok: false; faults: string[] } {
  const result = codec.decode(value)
  if (result._tag === 'Right') return { ok: true, value: result.right }
  const { left } = result
  return {
    ok: false,
    get faults() {
      return faults(left)
    },
  }
}

/** A whole number, 0 or more: every count, size, id and time of the protocol. */
export const count = new t.Type<number, number, unknown>(
  'whole number, 0 or more',
  (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
  (value, context) =>
    Number.isSafeInteger(value) && (value as number) >= 0
      ? t.success(value as number)
      : t.failure(value, context),
  value => value,
)

/** A TCP or UDP port, 1 to 65535. */
export const port = new t.Type<number, number, unknown>(
  'port (1-65535)',
  (value): value is number => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535,
  (value, context) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535
      ? t.success(value as number)
      : t.failure(value, context),
  value => value,
)

/** An IP address in text form (never a name) and a port; `::ffff:` mapped addresses are written as IPv4. */
export const endpoint = object('Endpoint', {
  address: [t.string, 'IPv4 or IPv6 address'],
  port: [count, 'port, 0 when none is bound'],
})
export type Endpoint = t.TypeOf<typeof endpoint>

// Unions of messages, each known by one field: only the member that a value names is checked, for speed and for faults that speak of that one alone.
import * as t from 'io-ts'
import { ObjectType } from './codec.ts'

type Members = readonly [t.Mixed, t.Mixed, ...t.Mixed[]]
type AnyObject = ObjectType<
  Record<string, readonly [t.Mixed, string]>,
  Record<string, readonly [t.Mixed, string]>
>

class TaggedType<M extends Members> extends t.UnionType<[...M], t.TypeOf<M[number]>, unknown, unknown> {}

/**
 * One of these objects, or of these unions of objects. `tag` is required in each, and one of a few strings; where two members share one, or a
 * value has none, the value is checked as any union's is.
 */
export function tagged<M extends Members>(tag: string, members: M): t.UnionC<[...M]> {
  const known = membersByTag(tag, members)
  const untagged = t.union<[t.Mixed, t.Mixed, ...t.Mixed[]]>([...members])
  const validate: t.Validate<unknown, t.TypeOf<M[number]>> = (value, context) => {
    const named = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[tag] : ''
    const found = typeof named === 'string' ? known.get(named) : undefined
    if (found === undefined) return untagged.validate(value, context)
    return found.member.validate(value, t.appendContext(context, found.index, found.member, value))
  }
  return new TaggedType(untagged.name, untagged.is, validate, value => value, [...members])
}

type Found = { index: string; member: AnyObject }

function membersByTag(tag: string, members: readonly t.Mixed[]): Map<string, Found> {
  const found = new Map<string, Found>()
  const shared = new Set<string>()
  for (const [index, member] of members.flatMap(objectsOf).entries()) {
    const codec = member.required[tag]?.[0] as { keys?: Record<string, unknown> } | undefined
    if (codec?.keys === undefined) throw new Error(`Cannot tell ${member.name} by its field "${tag}"`)
    for (const value of Object.keys(codec.keys)) {
      if (found.has(value)) shared.add(value)
      found.set(value, { index: String(index), member })
    }
  }
  for (const value of shared) found.delete(value)
  return found
}

function objectsOf(member: t.Mixed): AnyObject[] {
  if (member instanceof ObjectType) return [member as unknown as AnyObject]
  if (member instanceof t.UnionType) return (member.types as t.Mixed[]).flatMap(objectsOf)
  throw new Error(`Cannot make a union of messages of ${member.name}: it is no object`)
}

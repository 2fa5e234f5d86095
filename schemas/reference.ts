// The reference page of the editor protocol: one section a message, with its fields, errors and example.
import type * as t from 'io-ts'
import { ObjectType } from '../protocol/codec.ts'
import { errorTable } from '../protocol/error-table.ts'
import type { Message } from '../protocol/rpc/message.ts'
import { type Definitions, schemaOf } from './json-schema.ts'

const directions = {
  clientToServer: 'client → server',
  serverToClient: 'server → client',
  both: 'both ways',
} as const

/** The whole page as Markdown. */
export function referencePage(messages: readonly Message[]): string {
  const index = messages.map(
    message => `- [\`${message.method}\`](#${anchor(message.method)}): ${message.summary}`,
  )
  return `${[
    '# Editor protocol',
    'Generated from `protocol/rpc/` by `npm run generate`; do not edit. JSON-RPC 2.0 with the base framing of the Language Server Protocol 3.17. A test sends every example to a server, with a real target and command, and checks what comes back.',
    index.join('\n'),
    ...messages.map(section),
    '## Errors',
    'An error carries `data`: `{kind, blame, retryable, fix, detail?}`.',
    errorRows(),
  ].join('\n\n')}\n`
}

function anchor(method: string): string {
  return method.toLowerCase().replace(/[^a-z0-9]/g, '')
}

function section(message: Message): string {
  const parts = [
    `## ${message.method}`,
    `*${message.kind}, ${directions[message.direction]}.* ${message.summary}`,
  ]
  parts.push('Params:', fields(message.params))
  if (message.kind === 'request') {
    parts.push('Result:', fields(message.result))
    if (message.errors.length > 0)
      parts.push(`Errors: ${message.errors.map(kind => `\`${kind}\``).join(', ')}.`)
  }
  parts.push(`\`\`\`json\n${JSON.stringify(message.example, null, 2)}\n\`\`\``)
  return parts.join('\n\n')
}

/** The fields of an object, nested ones indented; any other type in one line. */
function fields(codec: t.Mixed, indent = ''): string {
  const object = innerObject(codec)
  if (object === undefined) return `${indent}- ${typeName(codec)}`
  const rows = [
    ...Object.entries(object.required).map(([name, field]) => row(name, field, '', indent)),
    ...Object.entries(object.optional).map(([name, field]) => row(name, field, '?', indent)),
  ]
  return rows.length === 0 ? `${indent}- nothing (\`{}\`)` : rows.join('\n')
}

type Shape = {
  required: Record<string, readonly [t.Mixed, string]>
  optional: Record<string, readonly [t.Mixed, string]>
}

function row(
  name: string,
  [codec, summary]: readonly [t.Mixed, string],
  mark: string,
  indent: string,
): string {
  const line = `${indent}- \`${name}${mark}\` (${typeName(codec)}): ${summary}`
  const nested = innerObject(codec)
  return nested === undefined ? line : `${line}\n${fields(codec, `${indent}  `)}`
}

function innerObject(codec: t.Mixed): Shape | undefined {
  if (codec instanceof ObjectType) return codec as Shape
  const inner = (codec as { type?: t.Mixed }).type
  return inner instanceof ObjectType ? (inner as Shape) : undefined
}

function typeName(codec: t.Mixed): string {
  const definitions: Definitions = new Map()
  const schema = schemaOf(codec, definitions) as Record<string, unknown>
  return nameOf(schema)
}

function nameOf(schema: Record<string, unknown>): string {
  if (typeof schema.$ref === 'string') return schema.$ref.replace('#/$defs/', '')
  if (Array.isArray(schema.enum)) return schema.enum.map(value => JSON.stringify(value)).join(' or ')
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(nameOf).join(' or ')
  if (Array.isArray(schema.prefixItems)) return `[${schema.prefixItems.map(nameOf).join(', ')}]`
  if (schema.type === 'array') return `list of ${nameOf(schema.items as Record<string, unknown>)}`
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.type === 'object' && schema.additionalProperties) {
    return `object of ${nameOf(schema.additionalProperties as Record<string, unknown>)}`
  }
  return String(schema.type)
}

function errorRows(): string {
  const rows = Object.entries(errorTable).map(
    ([kind, row]) =>
      `| ${row.code} | \`${kind}\` | ${row.blame} | ${row.retryable ? 'yes' : 'no'} | ${row.message} | ${row.fix} |`,
  )
  return ['| code | kind | blame | retry | message | fix |', '|---|---|---|---|---|---|', ...rows].join('\n')
}

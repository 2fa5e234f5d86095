// What is generated from protocol/, as text by file name: the schemas for plugin authors and the reference page.
import { readFileSync } from 'node:fs'
import { cliOutput } from '../protocol/cli-output.ts'
import { sessionConfig } from '../protocol/config.ts'
import { errorTable } from '../protocol/error-table.ts'
import { excludedTable } from '../protocol/excluded-variables.ts'
import type { Message } from '../protocol/rpc/message.ts'
import { messages } from '../protocol/rpc/messages.ts'
import { version } from '../protocol/version.ts'
import { type Definitions, schemaOf } from './json-schema.ts'
import { referencePage } from './reference.ts'

const draft = 'https://json-schema.org/draft/2020-12/schema'

function sorted(definitions: Definitions): object {
  return Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function messageEntry(message: Message, definitions: Definitions): object {
  const common = { kind: message.kind, direction: message.direction, summary: message.summary }
  const params = schemaOf(message.params, definitions)
  if (message.kind === 'notification') return { ...common, params, example: message.example }
  return {
    ...common,
    params,
    result: schemaOf(message.result, definitions),
    errors: message.errors,
    example: message.example,
  }
}

/** The editor protocol: every message with its params, result, errors and example, and the shapes that they share. */
export function rpcSchema(): object {
  const definitions: Definitions = new Map()
  const entries = messages.map(message => [message.method, messageEntry(message, definitions)])
  return {
    $schema: draft,
    title: 'standin editor protocol',
    description: 'JSON-RPC 2.0 with the base framing of the Language Server Protocol 3.17',
    version,
    messages: Object.fromEntries(entries),
    errors: errorTable,
    $defs: sorted(definitions),
  }
}

function configSchema(): object {
  const definitions: Definitions = new Map()
  const root = schemaOf(sessionConfig, definitions)
  return { $schema: draft, title: 'standin configuration', ...root, $defs: sorted(definitions) }
}

/** The lines of `--output json`; a script takes the definition of the command that it reads, as in "#/$defs/ExecLine". */
export function cliOutputSchema(): object {
  const definitions: Definitions = new Map()
  for (const [name, codec] of Object.entries(cliOutput)) {
    const schema = schemaOf(codec, definitions)
    // An object has defined itself, under its own name.
    if (schema.$ref !== `#/$defs/${name}`) definitions.set(name, schema)
  }
  return {
    $schema: draft,
    title: 'standin --output json',
    description:
      'One JSON object a line: ExecLine of "standin exec", TrafficLine of "standin traffic", ListOutput of "standin ls"; DescribeOutput, ContextsOutput, NamespacesOutput and CleanOutput of the commands of these names; ErrorLine, NoticeLine and StepLine come on standard error.',
    version,
    anyOf: Object.keys(cliOutput).map(name => ({ $ref: `#/$defs/${name}` })),
    $defs: sorted(definitions),
  }
}

/** The README with its generated part between the two marks. */
function readme(): string {
  const text = readFileSync('README.md', 'utf8')
  const [begin, end] = ['<!-- generated: excluded variables -->\n', '\n<!-- end of the generated part -->']
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`Cannot write README.md: it has lost the marks "${begin.trim()}" and "${end.trim()}"`)
  return text.slice(0, from + begin.length) + excludedTable() + text.slice(to)
}

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`

/** Every generated file: its path in the checkout, and its text. */
export function generatedFiles(): Record<string, string> {
  return {
    'schemas/rpc.json': json(rpcSchema()),
    'schemas/cli-output.json': json(cliOutputSchema()),
    'schemas/config.json': json(configSchema()),
    'schemas/rpc.md': referencePage(messages),
    'README.md': readme(),
  }
}

// The published shape of what `--output json` prints, as a script would check it: JSON Schema from the generated file, without our codecs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { cliOutput } from '../../protocol/cli-output.ts'

const schemas = new Ajv2020({ strict: false, allErrors: true }).addSchema(
  JSON.parse(readFileSync('schemas/cli-output.json', 'utf8')),
  'cli-output',
)

/** Parses a line and fails unless it has the shape of this name. */
export function published(name: keyof typeof cliOutput, line: string): Record<string, unknown> {
  const value = JSON.parse(line)
  const validate = schemas.getSchema(`cli-output#/$defs/${name}`)
  assert.ok(validate?.(value), `${line} is no ${name}: ${JSON.stringify(validate?.errors)}`)
  return value
}

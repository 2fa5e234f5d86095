// What standin exec says when it refuses, as scripts read it: one error, no output of the command, exit code 125.
import assert from 'node:assert/strict'
import { published } from '../../stage/published.ts'
import type { StandinRun } from './session-run.ts'

export type Refusal = { kind: string; message: string; fix: string }

/** Of a run with `--output json`; fails unless it ended with one error, told last and in the published shape. */
export async function refusalOf({ code, stdout, stderr }: StandinRun): Promise<Refusal> {
  const exitCode = await code
  const said = stderr.all.join('\n')
  assert.equal(exitCode, 125, said)
  assert.deepEqual(stdout.all, [], 'the command never ran')
  const lines = stderr.all.map(line => published('ExecLine', line))
  assert.deepEqual(
    lines.map(({ event }) => event).filter(event => event === 'error'),
    ['error'],
    said,
  )
  const last = lines.at(-1) as { event: string; error: Refusal }
  assert.equal(last.event, 'error', said)
  const { kind, message, fix } = last.error
  return { kind, message, fix }
}

/** Text with "NAMESPACE" in the namespace's place, or a pattern of it. */
export type Expected = { kind: string; message: string | RegExp; fix: string | RegExp }

export function assertRefusal(said: Refusal, expected: Expected, namespace: string): void {
  assert.equal(said.kind, expected.kind, said.message)
  for (const part of ['message', 'fix'] as const) {
    const wanted = expected[part]
    if (wanted instanceof RegExp) assert.match(said[part].replaceAll(namespace, 'NAMESPACE'), wanted)
    else assert.equal(said[part], wanted.replaceAll('NAMESPACE', namespace))
  }
}

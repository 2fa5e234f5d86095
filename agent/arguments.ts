// Reads the agent's command line, as protocol/agent/invocation.ts describes it.
import { parseArgs } from 'node:util'
import { Failure } from '../protocol/errors.ts'

export type Invocation =
  | { verb: 'list'; kinds: readonly string[]; name: string }
  | { verb: 'resolve' | 'describe'; target: string }
  | { verb: 'probe'; pid: number }
  | AttachInvocation

export type AttachInvocation = {
  verb: 'attach'
  target: string
  pid: number
  startTime: string
  session: string
  key: string
  graceMs: number
}

const text = { type: 'string' } as const
const options = {
  kinds: text,
  name: text,
  pid: text,
  'start-time': text,
  session: text,
  key: text,
  'grace-ms': text,
}

type Values = Partial<Record<keyof typeof options, string>>

/** Throws `usage-wrong`. */
export function parseInvocation(argv: readonly string[]): Invocation {
  const { values, positionals } = read(argv)
  const [verb = 'nothing', argument, ...more] = positionals
  if (more.length > 0) throw wrong(`"${more[0]}" is one word too many`)
  switch (verb) {
    case 'list':
      return { verb, kinds: (values.kinds ?? 'process,container').split(','), name: values.name ?? '' }
    case 'resolve':
    case 'describe':
      return { verb, target: named(argument, 'TARGET') }
    case 'probe':
      return { verb, pid: whole(argument, 'PID') }
    case 'attach':
      return parseAttach(named(argument, 'TARGET'), values)
    default:
      throw wrong(`"${verb}" is not a verb`)
  }
}

function parseAttach(target: string, values: Values): AttachInvocation {
  return {
    verb: 'attach',
    target,
    pid: whole(values.pid, '--pid'),
    startTime: named(values['start-time'], '--start-time'),
    session: named(values.session, '--session'),
    key: named(values.key, '--key'),
    graceMs: whole(values['grace-ms'], '--grace-ms'),
  }
}

function read(argv: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error))
  }
}

function named(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw wrong(`${what} is missing`)
  return value
}

function whole(value: string | undefined, what: string): number {
  if (!/^\d{1,15}$/.test(named(value, what))) throw wrong(`${what} is not a whole number: "${value}"`)
  return Number(value)
}

function wrong(reason: string): Failure {
  return new Failure('usage-wrong', { reason, help: 'protocol/agent/invocation.ts' })
}

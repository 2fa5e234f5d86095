// Reads the agent's command line, as protocol/agent/invocation.ts describes it.
import { parseArgs } from 'node:util'
import { Failure } from '../protocol/errors.ts'

export type Invocation =
  | { verb: 'list'; kinds: readonly string[]; name: string }
  | { verb: 'resolve' | 'describe'; target: string }
  | { verb: 'probe'; pid: number }
  | AttachInvocation
  | AttachPodInvocation
  | AttachOwnInvocation

/** For whom a link is served, and how long without one. */
type Service = { session: string; key: string; graceMs: number }

export type AttachInvocation = Service & {
  verb: 'attach'
  target: string
  pid: number
  startTime: string
}

export type AttachPodInvocation = Service & {
  verb: 'attach-pod'
  /** Id of the container, without the runtime's name before it. */
  container: string
  pod: string
  podUid?: string | undefined
  /** It runs in the pod, in an ephemeral container. */
  ephemeral: boolean
}

export type AttachOwnInvocation = Service & { verb: 'attach-own' }

const text = { type: 'string' } as const
const options = {
  kinds: text,
  name: text,
  pid: text,
  'start-time': text,
  session: text,
  key: text,
  'grace-ms': text,
  pod: text,
  'pod-uid': text,
  ephemeral: { type: 'boolean' },
} as const

type Values = Partial<Record<Exclude<keyof typeof options, 'ephemeral'>, string>> & { ephemeral?: boolean }

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
    case 'attach-pod':
      return parseAttachPod(named(argument, 'ID'), values)
    case 'attach-own':
      if (argument !== undefined) throw wrong(`"${argument}" is one word too many`)
      return { verb, ...parseService(values) }
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
    ...parseService(values),
  }
}

/** Ids as containerd, CRI-O and docker make them are 64 hex digits; anything else would match cgroups that are no container's. */
function parseAttachPod(container: string, values: Values): AttachPodInvocation {
  if (!/^[0-9a-f]{64}$/.test(container)) throw wrong(`"${container}" is not an id of a container`)
  return {
    verb: 'attach-pod',
    container,
    pod: named(values.pod, '--pod'),
    podUid: values['pod-uid'],
    ephemeral: values.ephemeral === true,
    ...parseService(values),
  }
}

function parseService(values: Values): Service {
  return {
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

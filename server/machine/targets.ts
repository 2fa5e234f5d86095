// Answers about targets: which there are, what one is like, which process a name means.
import type * as t from 'io-ts'
import { descriptionLine, resolvedLine, targetLine } from '../../protocol/agent/invocation.ts'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import type { describeTarget, Target } from '../../protocol/rpc/targets.ts'
import type { Log } from '../log.ts'
import { askAgent } from './agent-program.ts'

export type Resolved = t.TypeOf<typeof resolvedLine>
type Question = { signal: AbortSignal; log: Log }

function checked<A>(codec: t.Decoder<unknown, A>, value: unknown): A {
  const result = decode(codec, value)
  if (result.ok) return result.value
  throw new Failure(
    'agent-failed',
    { reason: 'it printed a line of another shape' },
    { detail: result.faults.join('; ') },
  )
}

async function askForOne<A>(codec: t.Decoder<unknown, A>, args: string[], question: Question): Promise<A> {
  const answers: A[] = []
  await askAgent(args, { ...question, onLine: value => answers.push(checked(codec, value)) })
  const [answer] = answers
  if (answer === undefined)
    throw new Failure('agent-failed', { reason: `"agent ${args[0]}" printed nothing` })
  return answer
}

/** A target that the agent would take for an option is not sent to it. */
function named(target: string): string {
  if (!target.startsWith('-')) return target
  throw new Failure('target-invalid', { target, reason: 'it begins with "-"' })
}

/** Which process a target is. */
export function resolveTarget(target: string, question: Question): Promise<Resolved> {
  return askForOne(resolvedLine, ['resolve', named(target)], question)
}

export async function describe(
  target: string,
  question: Question,
): Promise<t.TypeOf<(typeof describeTarget)['result']>> {
  return (await askForOne(descriptionLine, ['describe', named(target)], question)).description
}

/** Sorted by kind and name; `onPart` gets each target as it is found. */
export async function listTargets(
  options: Question & {
    kinds?: readonly string[] | undefined
    name?: string | undefined
    onPart?(target: Target): void
  },
): Promise<{ targets: Target[]; warnings: string[] }> {
  const targets: Target[] = []
  const warnings: string[] = []
  const kinds = options.kinds === undefined ? [] : [`--kinds=${options.kinds.join(',')}`]
  const name = options.name === undefined ? [] : [`--name=${options.name}`]
  await askAgent(['list', ...kinds, ...name], {
    ...options,
    onLine(value) {
      const line = checked(targetLine, value)
      if (line.warning !== undefined) warnings.push(line.warning)
      if (line.target === undefined) return
      targets.push(line.target)
      options.onPart?.(line.target)
    },
  })
  const rank = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  targets.sort((a, b) => rank(a.kind, b.kind) || rank(a.name, b.name) || rank(a.target, b.target))
  return { targets, warnings }
}

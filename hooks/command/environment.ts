// The environment of the command: the supervisor's own without what was meant for it, the pod's on top, and the mark.
import { processMark } from '../../protocol/hook/mark.ts'
import { hookProcessVariable, hookSocketVariable, hookTokenVariable } from '../../protocol/hook/messages.ts'

export function commandEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  changes: Readonly<Record<string, string | null>>,
  processId: string,
): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...own, ...changes }))
    if (typeof value === 'string') result[name] = value
  for (const name of [hookSocketVariable, hookTokenVariable, hookProcessVariable]) delete result[name]
  result[processMark] = processId
  return result
}

// Shows the traffic of the connection itself in the client's log, without the secrets that it carries.
import type { TraceValue } from './state.ts'

const secretKeys = new Set(['token', 'environment', 'set', 'override', 'headers'])
const maxTextCharacters = 2_000

/** The line for one message, or nothing at this level. Log messages are not traced, since tracing makes them. */
export function traceLine(
  value: TraceValue,
  direction: 'received' | 'sent',
  message: object,
): string | undefined {
  if (value === 'off') return undefined
  const { method, id, params, result, error } = message as Record<string, unknown>
  if (method === 'window/logMessage') return undefined
  const what =
    method ?? (error !== undefined ? 'error' : result !== undefined ? 'answer' : 'what is no message')
  const line = `${direction} ${what}${id === undefined ? '' : ` (${id})`}`
  const content = params ?? error ?? result
  if (value === 'messages' || content === undefined) return line
  return `${line} ${JSON.stringify(content, hideSecrets).slice(0, maxTextCharacters)}`
}

/** Text under "data" is what a process or a caller said; an object there is the data of an error. */
function hideSecrets(key: string, value: unknown): unknown {
  const secret = (secretKeys.has(key) && value !== null) || (key === 'data' && typeof value === 'string')
  return secret && value !== undefined ? '(hidden)' : value
}

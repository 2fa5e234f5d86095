// Shows the traffic of the connection itself in the client's log, without the secrets that it carries.
import type { TraceValue } from './state.ts'

const secretKeys = new Set(['token', 'environment', 'set', 'data'])
const maxTextCharacters = 2_000

/** The line for one message, or nothing at this level. Log messages are not traced, since tracing makes them. */
export function traceLine(
  value: TraceValue,
  direction: 'received' | 'sent',
  message: object,
): string | undefined {
  if (value === 'off') return undefined
  const { method, id, error } = message as { method?: unknown; id?: unknown; error?: unknown }
  if (method === 'window/logMessage') return undefined
  const what = method === undefined ? (error === undefined ? 'answer' : 'error') : String(method)
  const line = `${direction} ${what}${id === undefined ? '' : ` (${String(id)})`}`
  if (value === 'messages') return line
  return `${line} ${JSON.stringify(message, hideSecrets)?.slice(0, maxTextCharacters)}`
}

function hideSecrets(key: string, value: unknown): unknown {
  return secretKeys.has(key) && value !== undefined && value !== null ? '(hidden)' : value
}

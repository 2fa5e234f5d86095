// Whether what the real server sends is what protocol/rpc declares: notifications, results, and the kinds of errors.
import { decode } from '../../protocol/codec.ts'
import { messages } from '../../protocol/rpc/messages.ts'
import type { Answer } from './raw-server.ts'

/** Kinds that every request may be answered with; all others are listed with the message. */
const anyRequest = [
  'request-invalid',
  'params-invalid',
  'not-initialized',
  'method-unknown',
  'cancelled',
  'requests-waiting',
]
const byMethod = new Map(messages.map(message => [message.method, message]))

/** What is wrong with a notification from the server; nothing when it is as declared. */
export function notificationFaults({ method = '', params }: Answer): string[] {
  const message = byMethod.get(method)
  if (message === undefined) return [`${method} is not declared`]
  if (message.kind !== 'notification' || message.direction === 'clientToServer')
    return [`${method} is not for the server to send`]
  return faultsOf(message.params, params, method)
}

/** What is wrong with the answer to a request. */
export function answerFaults(method: string, { result, error }: Answer): string[] {
  const message = byMethod.get(method)
  if (message?.kind !== 'request') return []
  if (error === undefined) return faultsOf(message.result, result, `the result of ${method}`)
  const { kind } = error.data
  const listed: readonly string[] = [...anyRequest, ...message.errors]
  return listed.includes(kind) ? [] : [`${method} does not list the error "${kind}": ${error.message}`]
}

function faultsOf(codec: Parameters<typeof decode>[0], value: unknown, what: string): string[] {
  const checked = decode(codec, value)
  return checked.ok ? [] : checked.faults.map(fault => `${what}: ${fault}`)
}

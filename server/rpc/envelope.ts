// What a message body is: a request, a notification, a response, or something that must be answered with an error.
import { Failure } from '../../protocol/errors.ts'

export type RequestId = string | number

export type Envelope =
  | { kind: 'request'; id: RequestId; method: string; params: unknown }
  | { kind: 'notification'; method: string; params: unknown }
  | { kind: 'response' }
  | { kind: 'wrong'; id: RequestId | null; failure: Failure }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Never throws: malformed JSON is an answer with id null, and the connection lives on. */
export function readEnvelope(body: Uint8Array): Envelope {
  try {
    return classify(JSON.parse(utf8.decode(body)))
  } catch (thrown) {
    const reason = thrown instanceof SyntaxError ? 'malformed JSON' : 'not UTF-8'
    return { kind: 'wrong', id: null, failure: new Failure('parse-failed', { reason }, { cause: thrown }) }
  }
}

function classify(value: unknown): Envelope {
  if (Array.isArray(value)) return invalid(null, 'batches are not supported, send one message at a time')
  if (typeof value !== 'object' || value === null) return invalid(null, 'it is not an object')
  const { jsonrpc, id, method, params } = value as Record<string, unknown>
  const known = typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id)) ? id : null
  if (jsonrpc !== '2.0') return invalid(known, '"jsonrpc" is not "2.0"')
  if (method === undefined && ('result' in value || 'error' in value)) return { kind: 'response' }
  if (typeof method !== 'string') return invalid(known, '"method" is not a string')
  if (!('id' in value)) return { kind: 'notification', method, params }
  if (known === null) return invalid(null, '"id" is neither a string nor a whole number')
  return { kind: 'request', id: known, method, params }
}

function invalid(id: RequestId | null, reason: string): Envelope {
  return { kind: 'wrong', id, failure: new Failure('request-invalid', { reason }) }
}

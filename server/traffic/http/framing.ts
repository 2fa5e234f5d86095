// How the body of an HTTP/1 message is framed, RFC 9112 section 6.3, with every ambiguity named instead of resolved.
import { type Header, type RequestHead, type ResponseHead, valuesOf } from './head.ts'

/**
 * `tunnel`: the message ends with its head and what follows is another protocol. `ambiguous`: two readers could disagree where the
 * message ends (request smuggling), so nothing after it can be trusted.
 */
export type Framing =
  | { body: 'none' | 'chunked' | 'close' | 'tunnel' | 'ambiguous' }
  | { body: 'length'; bytes: number }

export function requestFraming({ method, version, headers }: RequestHead): Framing {
  if (method === 'CONNECT') return { body: 'tunnel' }
  const coding = transferCoding(headers)
  if (coding === undefined) return lengthFraming(headers, { body: 'none' })
  // A request's body can't end with the connection, and HTTP/1.0 knows no codings.
  return coding === 'chunked' && version === '1.1' ? { body: 'chunked' } : { body: 'ambiguous' }
}

/** `method` is that of the request that the response answers. */
export function responseFraming({ status, version, headers }: ResponseHead, method: string): Framing {
  if (status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)) return { body: 'tunnel' }
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return { body: 'none' }
  const coding = transferCoding(headers)
  if (coding === undefined) return lengthFraming(headers, { body: 'close' })
  if (coding === 'ambiguous' || version !== '1.1') return { body: 'ambiguous' }
  return { body: coding === 'chunked' ? 'chunked' : 'close' }
}

function transferCoding(headers: readonly Header[]): 'chunked' | 'other' | 'ambiguous' | undefined {
  const values = valuesOf(headers, 'transfer-encoding')
  const [value] = values
  if (value === undefined) return undefined
  if (values.length > 1 || valuesOf(headers, 'content-length').length > 0) return 'ambiguous'
  const codings = value.split(',').map(coding => coding.trim().toLowerCase())
  const chunked = codings.filter(coding => coding === 'chunked').length
  if (codings.includes('') || chunked > 1) return 'ambiguous'
  if (chunked === 0) return 'other'
  return codings.at(-1) === 'chunked' ? 'chunked' : 'ambiguous'
}

function lengthFraming(headers: readonly Header[], without: Framing): Framing {
  const values = valuesOf(headers, 'content-length')
  const [value] = values
  if (value === undefined) return without
  if (values.length > 1 || !/^\d{1,15}$/.test(value)) return { body: 'ambiguous' }
  const bytes = Number(value)
  return bytes === 0 ? { body: 'none' } : { body: 'length', bytes }
}

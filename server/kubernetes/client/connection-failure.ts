// Turns what went wrong on the way to an API server into a sentence for whoever can mend it.
import { Failure } from '../../../protocol/errors.ts'

type SystemError = Error & { code?: string; cert?: { subjectaltname?: string }; host?: string }

const nameCodes = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NONAME', 'EAI_NODATA', 'ENODATA']
/** What OpenSSL calls a chain that ends at no authority we know. */
const authorityCodes = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_CHAIN_TOO_LONG',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
]
const stateOf: Readonly<Record<string, string>> = {
  EHOSTUNREACH: 'there is no route to it (EHOSTUNREACH)',
  ENETUNREACH: 'there is no route to its network (ENETUNREACH)',
  ENETDOWN: 'the network of this machine is down (ENETDOWN)',
  ECONNRESET: 'it closed the connection without an answer',
  EPIPE: 'it closed the connection without an answer',
  EADDRNOTAVAIL: 'this machine has no address or port free for the connection (EADDRNOTAVAIL)',
  EACCES: 'this machine forbids the connection (EACCES)',
  EPERM: 'this machine forbids the connection (EPERM)',
}

/** The failure itself if it is one already. Pure, but for the clock that an expired certificate is told with. */
export function connectionFailure(thrown: unknown, server: URL): Failure {
  if (thrown instanceof Failure) return thrown
  const error = firstOf(thrown)
  const code = error.code ?? ''
  const told = shownServer(server)
  const as = (kind: ConstructorParameters<typeof Failure>[0], values: Record<string, string> = {}) =>
    new Failure(kind, { server: told, ...values }, { cause: error })
  if (code === 'ECONNREFUSED') return as('cluster-refused')
  if (nameCodes.includes(code)) return as('cluster-name-unknown')
  if (code === 'ETIMEDOUT') return as('cluster-silent', { seconds: 'the system’s time for it' })
  const now = new Date().toISOString()
  if (code === 'CERT_HAS_EXPIRED')
    return as('cluster-certificate-expired', {
      reason: `the cluster's has expired, by this machine's clock (${now})`,
    })
  if (code === 'CERT_NOT_YET_VALID')
    return as('cluster-certificate-expired', {
      reason: `the cluster's is not valid yet, by this machine's clock (${now})`,
    })
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return as('cluster-untrusted', { reason: wrongName(error) })
  if (authorityCodes.includes(code))
    return as('cluster-untrusted', {
      reason: `its certificate is not signed by an authority that is trusted (${code})`,
    })
  if (/UNRECOGNIZED_NAME$/.test(code))
    return as('cluster-untrusted', { reason: 'it serves no certificate for the name that it was asked by' })
  return as('cluster-unreachable', { reason: stateOf[code] ?? tlsState(error) })
}

/** A cluster that took longer than `timeoutMs`. */
export function silentFailure(server: URL, timeoutMs: number): Failure {
  return new Failure('cluster-silent', { server: shownServer(server), seconds: Math.ceil(timeoutMs / 1_000) })
}

/** The server's URL without what may be secret in it. */
function shownServer(server: URL): string {
  return `${server.protocol}//${server.host}${server.pathname === '/' ? '' : server.pathname}`
}

/** Trying several addresses of a name gives an error with one error each. */
function firstOf(thrown: unknown): SystemError {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) {
    const errors: SystemError[] = thrown.errors
    return errors.find(error => error.code === 'ECONNREFUSED') ?? errors[0]!
  }
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function wrongName(error: SystemError): string {
  const names = (error.cert?.subjectaltname ?? '').replace(/\b(DNS|IP Address):/g, '').slice(0, 200)
  return `its certificate is for ${names || 'no name'}, not for ${error.host ?? 'the name that it was asked by'}`
}

function tlsState(error: SystemError): string {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(error.code ?? ''))
    return 'it does not speak TLS; is it an "http://" address?'
  return `${error.message.split('\n')[0]?.replace(/[.:]+$/, '')}${error.code ? ` (${error.code})` : ''}`
}

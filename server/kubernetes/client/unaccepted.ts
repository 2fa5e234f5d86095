// When a cluster does not take us for whom we say we are: other credentials may help, if there are any.
import type { Asks } from './api.ts'
import type { LostConnection } from './send.ts'
import { type Refusal, statusFailure, statusOf, strangeAnswer } from './status.ts'

export class Unaccepted extends Error {
  constructor(
    /** Goes on "Cannot log in ...". */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options)
  }
}

/** What an answer that is no success means: `Unaccepted`, or as `statusFailure` says. */
export function refusalError(refusal: Refusal, asks: Asks): Error {
  const message = statusOf(refusal)?.message ?? ''
  if (refusal.status === 401) {
    const cause = new Error(message || strangeAnswer(refusal))
    return new Unaccepted('401, the credentials are not accepted', { cause })
  }
  // It did not even look at them: basic authentication, say, which Kubernetes 1.19 removed.
  if (refusal.status === 403 && message.includes('User "system:anonymous" cannot'))
    return new Unaccepted('403, the cluster sees no credentials that it knows', { cause: new Error(message) })
  return statusFailure(refusal, asks)
}

/** What a connection that was lost means: `Unaccepted` for the server's TLS alerts about our certificate, else the failure that it came with. */
export function lostError(lost: LostConnection): Error {
  return isAboutCertificate(lost.failure)
    ? new Unaccepted('TLS, the client certificate is not accepted', { cause: lost.failure })
    : lost.failure
}

/** Source: OpenSSL's names of the alerts of RFC 8446, section 6. */
function isAboutCertificate({ cause }: Error): boolean {
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException
  return /ALERT_(BAD_CERTIFICATE|CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN|REQUIRED)|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA)$/.test(
    code,
  )
}

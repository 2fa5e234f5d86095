// Why a cluster did not accept us: an expired certificate looks to it like any unknown one.
import { X509Certificate } from 'node:crypto'
import { Failure } from '../../../protocol/errors.ts'
import type { Certificate } from './credential-files.ts'

/**
 * The dates are looked at only after the cluster has refused: this machine's clock may be wrong, and the cluster's decides.
 */
export function loginFailure(of: {
  server: URL
  user: string
  certificate: Certificate | undefined
  /** What the cluster said by its refusal. */
  reason: string
  cause: unknown
}): Failure {
  const server = of.server.href.replace(/\/$/, '')
  const dates = of.certificate === undefined ? undefined : datesOf(of.certificate.cert)
  const now = Date.now()
  const wrong =
    dates === undefined
      ? undefined
      : now > dates.toMs
        ? `the client certificate of user "${of.user}" expired at ${new Date(dates.toMs).toISOString()}`
        : now < dates.fromMs
          ? `the client certificate of user "${of.user}" is valid from ${new Date(dates.fromMs).toISOString()} on`
          : undefined
  return wrong === undefined
    ? new Failure('cluster-unauthorized', { server, user: of.user, reason: of.reason }, { cause: of.cause })
    : new Failure('cluster-certificate-expired', { server, reason: wrong }, { cause: of.cause })
}

function datesOf(pem: string): { fromMs: number; toMs: number } | undefined {
  try {
    const { validFrom, validTo } = new X509Certificate(pem)
    return { fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) }
  } catch {
    return undefined
  }
}

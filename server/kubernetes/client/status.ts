// What an answer of the API server that is no success means; pure.
import { Failure } from '../../../protocol/errors.ts'
import { type Asks, StatusError } from './api.ts'

/** meta/v1 Status, as far as it is read. */
export type Status = {
  kind?: string
  message?: string
  reason?: string
  code?: number
  details?: { retryAfterSeconds?: number; [key: string]: unknown }
  metadata?: { continue?: string }
}

export type Refusal = {
  status: number
  contentType: string
  /** The whole body, or as much as was read of a large one. */
  body: string
  /** `Location` of a redirection. */
  location?: string | undefined
}

/** These are answers to the question, and the caller knows what they mean there. */
const callersStatuses = [404, 409, 410, 422]
/** Admission judges what would be changed; what refuses a reader in words of its own is a gateway before the API server. */
const readingVerbs = ['get', 'list', 'watch']
/** How the API server says that a permission is missing, whichever authorizer it asked; source: apiserver, responsewriters/errors.go. */
const denial =
  /User "(.*?)" cannot (\S+) (?:resource "([^"]*)"(?: in API group "([^"]*)")?|path "([^"]*)")(?: in the namespace "([^"]*)")?/

/** For 401 the caller has more to say, so it is not made here. */
export function statusFailure(refusal: Refusal, asks: Asks): Failure | StatusError {
  const status = statusOf(refusal)
  const code = refusal.status
  if (code === 403 && status !== undefined) {
    const denied = denial.exec(status.message ?? '')
    if (denied !== null) return forbidden(denied, status)
  }
  const isAdmission = code === 403 && !readingVerbs.includes(asks.verb)
  if (status !== undefined && (callersStatuses.includes(code) || isAdmission)) {
    const { reason = '', message = `status ${code}`, details, metadata } = status
    return new StatusError(code, reason, message, asks, details, metadata?.continue)
  }
  // So the API server says that it has no such group of resources (net/http, NotFound).
  if (code === 404 && refusal.body.trim() === '404 page not found')
    return new StatusError(code, 'NotFound', `the cluster has no ${asks.resource}`, asks)
  // Any other 404 without a Status is the answer of something that is no Kubernetes.
  return new Failure('cluster-failed', {
    verb: asks.verb,
    resource: asks.resource,
    where: whereOf(asks.namespace),
    status: code,
    reason: (status?.message ?? strangeAnswer(refusal)).slice(0, 500),
  })
}

function forbidden(denied: RegExpExecArray, status: Status): Failure {
  const [, , verb = '', resource, group, path, namespace] = denied
  return new Failure(
    'cluster-forbidden',
    {
      verb,
      resource: resource === undefined ? (path ?? '') : group ? `${resource}.${group}` : resource,
      where: whereOf(namespace),
    },
    status.message === undefined ? {} : { detail: status.message },
  )
}

export function whereOf(namespace: string | undefined): string {
  return namespace ? `in namespace "${namespace}"` : 'in the whole cluster'
}

/** The Status that the body holds, if it does. */
export function statusOf({ body }: Pick<Refusal, 'body'>): Status | undefined {
  try {
    const value = JSON.parse(body) as Status | null
    return typeof value === 'object' && value !== null && value.kind === 'Status' ? value : undefined
  } catch {
    return undefined
  }
}

/** Something else than Kubernetes answered, or it in plain text. */
export function strangeAnswer({ status, contentType, body, location }: Refusal): string {
  if (location !== undefined) return `it points to "${location.slice(0, 200)}", where no API server is`
  if (/HTTP request to an HTTPS server/i.test(body))
    return 'it speaks TLS; write "https://" for its server in the kubeconfig'
  if (/html/i.test(contentType) || /^\s*<(!doctype|html)/i.test(body)) {
    const title = /<title>\s*([^<]*?)\s*<\/title>/i.exec(body)?.[1]
    return `a web page${title ? ` "${title.slice(0, 100)}"` : ''} and not Kubernetes: a proxy or a login page stands before it`
  }
  const line = body.trim().split('\n')[0] ?? ''
  return line === '' ? `nothing more than the status ${status}` : line.slice(0, 200)
}

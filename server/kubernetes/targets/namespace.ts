// Whether a namespace exists: an empty list is no proof that it does, nor is an object that is not found.
import type { V1Namespace } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import { type Api, apiPath, StatusError } from '../client/api.ts'

/** RFC 1123 label; what is none is no namespace, and must not get into a path. */
const form = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** Throws `namespace-not-found` for what cannot be the name of one. */
export function checkNamespaceForm(namespace: string): string {
  if (form.test(namespace)) return namespace
  throw new Failure('namespace-not-found', { namespace: namespace.slice(0, 100) })
}

/** The namespace; nothing for a user who may not look; `namespace-not-found` when there is none. */
export async function readNamespace(
  api: Api,
  namespace: string,
  signal: AbortSignal,
): Promise<V1Namespace | undefined> {
  try {
    return await api.request<V1Namespace>({
      path: apiPath('/api/v1', 'namespaces', namespace),
      signal,
      asks: { verb: 'get', resource: 'namespaces', namespace },
    })
  } catch (thrown) {
    if (thrown instanceof StatusError && thrown.status === 404)
      throw new Failure('namespace-not-found', { namespace }, { cause: thrown })
    if (isForbidden(thrown)) return undefined
    throw thrown
  }
}

export function isForbidden(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && thrown.kind === 'cluster-forbidden'
}

export function isNotFound(thrown: unknown): thrown is StatusError {
  return thrown instanceof StatusError && thrown.status === 404
}

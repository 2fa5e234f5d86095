// The permissions that an agent needs, and whether the user has them: asked before anything is made, so that what is made can be ended too.
import type { V1SelfSubjectAccessReview } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import { Failure } from '../../../protocol/errors.ts'
import { portForwardVerbs } from '../channel/verbs.ts'
import type { Api } from '../client/api.ts'

/** As RBAC names them; `subresource` stands behind a slash there: "pods/portforward". */
export type Right = {
  verb: string
  group: string
  resource: string
  subresource?: string
  namespace: string
}

/** `namespace`: the target's. */
export function agentRights(config: AgentConfig, namespace: string): Right[] {
  const own = config.ephemeral ? namespace : (config.namespace ?? namespace)
  const make: Right[] = config.ephemeral
    ? [{ verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers', namespace }]
    : ['create', 'patch', 'delete'].map(verb => ({
        verb,
        group: 'batch',
        resource: 'jobs',
        namespace: own,
      }))
  const watched = [...new Set([namespace, own])]
  return [
    ...make,
    ...watched.flatMap(of => verbs(['list', 'watch'], { group: '', resource: 'pods', namespace: of })),
    ...verbs(['list', 'watch'], { group: '', resource: 'events', namespace: own }),
    ...verbs(portForwardVerbs, { group: '', resource: 'pods', subresource: 'portforward', namespace: own }),
  ]
}

function verbs(names: readonly string[], right: Omit<Right, 'verb'>): Right[] {
  return names.map(verb => ({ verb, ...right }))
}

/** "jobs.batch", "pods/portforward". */
export function rightName({ group, resource, subresource }: Right): string {
  const name = group === '' ? resource : `${resource}.${group}`
  return subresource === undefined ? name : `${name}/${subresource}`
}

/** By SelfSubjectAccessReview. A cluster that does not answer it lets the question itself decide, when it comes to that. */
export async function isGranted(api: Api, right: Right, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const review = await api.request<V1SelfSubjectAccessReview>({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: right },
      },
      asks: { verb: 'create', resource: 'selfsubjectaccessreviews.authorization.k8s.io' },
      signal,
    })
    return review.status?.allowed === true
  } catch (thrown) {
    if (signal.aborted || (thrown instanceof Failure && thrown.kind !== 'cluster-forbidden')) throw thrown
    return undefined
  }
}

/** Rejects with `cluster-forbidden` for the first that is missing. */
export async function demandRights(api: Api, rights: readonly Right[], signal: AbortSignal): Promise<void> {
  const granted = await Promise.all(rights.map(right => isGranted(api, right, signal)))
  const missing = rights.find((_, index) => granted[index] === false)
  if (missing === undefined) return
  throw new Failure('cluster-forbidden', {
    verb: missing.verb,
    resource: rightName(missing),
    where: `in namespace "${missing.namespace}"`,
  })
}

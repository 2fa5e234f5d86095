// Whether a cluster has a kind at all: it says "forbidden" of what it does not have, as permissions are looked at first.
import type { V1APIGroupList } from '@kubernetes/client-node'
import type { Api } from '../client/api.ts'
import type { KindRow } from './kinds.ts'
import { isForbidden } from './namespace.ts'

/** Whether a refusal says no more than that the cluster does not have the kind. Every user may ask for the groups that there are. */
export async function isAbsentKind(
  api: Api,
  { group }: KindRow,
  thrown: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  // Kubernetes' own groups have no dot but for "k8s.io", and are everywhere.
  if (!isForbidden(thrown) || !group.includes('.')) return false
  try {
    const { groups } = await api.request<V1APIGroupList>({
      path: '/apis',
      asks: { verb: 'get', resource: '/apis' },
      signal,
    })
    return !groups.some(({ name }) => name === group)
  } catch {
    signal.throwIfAborted()
    return false
  }
}

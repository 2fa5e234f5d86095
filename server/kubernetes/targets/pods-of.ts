// The pods that are a workload's own, asked of the API server.
import type { V1Pod, V1ReplicaSet } from '@kubernetes/client-node'
import { type Api, apiPath } from '../client/api.ts'
import { type ClusterKind, pathOf, resourceOf, rowOf } from './kinds.ts'
import { isForbidden, isNotFound } from './namespace.ts'
import { controllerOf, type Owner, ownershipOf } from './owners.ts'
import { podSelector } from './selector.ts'
import { activeJobs, type Workload } from './workload-state.ts'

export type Place = { namespace: string; signal: AbortSignal }

/** All pods that a selector selects; `selector-invalid` comes as the API server's 400. */
export async function listPods(
  api: Api,
  { namespace, signal }: Place,
  labelSelector: string | undefined,
): Promise<V1Pod[]> {
  const pods: V1Pod[] = []
  const request = {
    path: apiPath('/api/v1', 'namespaces', namespace, 'pods'),
    query: { labelSelector },
    signal,
    asks: { verb: 'list', resource: 'pods', namespace },
  }
  for await (const page of api.pages<V1Pod>(request)) pods.push(...page)
  return pods
}

/** The pods of an object, terminating ones included; none for what selects none. */
export async function podsOf(
  api: Api,
  place: Place,
  kind: ClusterKind,
  workload: Workload,
): Promise<V1Pod[]> {
  if (kind === 'pod') return [workload as V1Pod]
  if (kind === 'cronjob') return podsOfJobs(api, place, workload)
  const selector = podSelector(kind, workload)
  if (selector === undefined) return []
  const { name = '', uid = '' } = workload.metadata ?? {}
  return ownedBy(api, place, { kind, name, uid }, await listPods(api, place, selector))
}

/** The jobs name their pods by a label; source: Kubernetes, "Jobs", which keeps the short form beside batch.kubernetes.io/job-name. */
async function podsOfJobs(api: Api, place: Place, { status }: Workload): Promise<V1Pod[]> {
  const jobs = activeJobs(status)
  if (jobs.length === 0) return []
  const uids = new Set(jobs.map(({ uid }) => uid))
  const pods = await listPods(api, place, `job-name in (${jobs.map(({ name }) => name).join(',')})`)
  return pods.filter(pod => uids.has(controllerOf(pod.metadata)?.uid))
}

async function ownedBy(api: Api, place: Place, owner: Owner, pods: readonly V1Pod[]): Promise<V1Pod[]> {
  const looked = pods.map(pod => ({ pod, ownership: ownershipOf(pod.metadata, owner) }))
  const owned = looked.flatMap(({ pod, ownership }) => ('owned' in ownership && ownership.owned ? [pod] : []))
  const unsure = new Set(
    looked.flatMap(({ ownership }) => ('through' in ownership ? [ownership.through] : [])),
  )
  if (unsure.size === 0) return owned
  const sets = await Promise.all([...unsure].map(name => isSetOf(api, place, owner, name, owned.length > 0)))
  const ours = new Set([...unsure].filter((_, index) => sets[index]))
  return looked.flatMap(({ pod, ownership }) => {
    const mine = 'owned' in ownership ? ownership.owned : ours.has(ownership.through)
    return mine ? [pod] : []
  })
}

/** Without the right to look, an oddly named replica set counts as foreign as long as others were found. */
async function isSetOf(
  api: Api,
  { namespace, signal }: Place,
  owner: Owner,
  name: string,
  othersFound: boolean,
): Promise<boolean> {
  const row = rowOf('replicaset')
  try {
    const set = await api.request<V1ReplicaSet>({
      path: pathOf(row, namespace, name),
      signal,
      asks: { verb: 'get', resource: resourceOf(row), namespace },
    })
    return controllerOf(set.metadata)?.uid === owner.uid
  } catch (thrown) {
    if (isNotFound(thrown) || (othersFound && isForbidden(thrown))) return false
    throw thrown
  }
}

// Lists targets: of this machine, or of a cluster.
import type * as t from 'io-ts'
import type { listTargets, Target } from '../../protocol/rpc/targets.ts'
import type { Log } from '../log.ts'
import { listTargets as listOnMachine } from '../machine/targets.ts'

type Params = t.TypeOf<(typeof listTargets)['params']>
type Question = { signal: AbortSignal; log: Log; onPart(target: Target): void }

/** By `place`; else by the kinds; else the cluster if the user has one. */
export async function list(
  params: Params,
  question: Question,
): Promise<{ targets: Target[]; warnings: string[] }> {
  const { kinds, name } = params
  if ((await placeOf(params)) === 'machine') return listOnMachine({ ...question, kinds, name })
  const { withApi } = await import('../kubernetes/with-api.ts')
  const { listClusterTargets } = await import('../kubernetes/targets/list.ts')
  return withApi(params, question, api =>
    listClusterTargets(api, { ...params, ...question, namespace: params.namespace ?? api.namespace }),
  )
}

const machineKinds: readonly string[] = ['process', 'container']

async function placeOf({ place, kinds, kubeconfig, context }: Params): Promise<'machine' | 'cluster'> {
  if (place !== undefined) return place
  if (kinds !== undefined && kinds.length > 0)
    return kinds.every(kind => machineKinds.includes(kind)) ? 'machine' : 'cluster'
  const { hasCluster } = await import('../kubernetes/client/kubeconfig.ts')
  return hasCluster({ kubeconfig, context }) ? 'cluster' : 'machine'
}

// Lists targets: of this machine, or of a cluster.
import type * as t from 'io-ts'
import type { listTargets, Target } from '../../protocol/rpc/targets.ts'
import type { Log } from '../log.ts'
import { listTargets as listOnMachine } from '../machine/targets.ts'
import { withConfig } from '../sessions/config.ts'
import type { OnStep, Tell } from './found.ts'

type Params = t.TypeOf<(typeof listTargets)['params']>
type Question = { signal: AbortSignal; log: Log; tell: Tell; onStep: OnStep; onPart(target: Target): void }

/** By `place`; else by the kinds; else the cluster if the user has one. */
export async function list(
  asked: Params,
  question: Question,
): Promise<{ targets: Target[]; warnings: string[] }> {
  const { kinds, name } = asked
  if (namesMachine(asked)) return listOnMachine({ ...question, kinds, name })
  const params = await withConfig(asked)
  if ((await placeOf(params)) === 'machine') return listOnMachine({ ...question, kinds, name })
  const { withApi } = await import('../kubernetes/with-api.ts')
  const { listClusterTargets } = await import('../kubernetes/targets/list.ts')
  return withApi(params, question, api =>
    listClusterTargets(api, { ...params, ...question, namespace: params.namespace ?? api.namespace }),
  )
}

const machineKinds: readonly string[] = ['process', 'container']

/** No configuration of a cluster matters then, nor what is wrong with it. */
function namesMachine({ place, kinds = [] }: Params): boolean {
  if (place !== undefined) return place === 'machine'
  return kinds.length > 0 && kinds.every(kind => machineKinds.includes(kind))
}

async function placeOf({ place, kinds = [], kubeconfig, context }: Params): Promise<'machine' | 'cluster'> {
  if (place !== undefined || kinds.length > 0) return 'cluster'
  const { hasCluster } = await import('../kubernetes/client/kubeconfig.ts')
  return hasCluster({ kubeconfig, context }) ? 'cluster' : 'machine'
}

// A workload as a line of the list: from what it says of itself, and from its pods where that is not enough; pure.
import type { Target } from '../../../protocol/rpc/targets.ts'
import { isOurs } from '../ours.ts'
import { containerNames, declaredPorts } from './containers.ts'
import { type ClusterKind, rowOf } from './kinds.ts'
import { controllerOf } from './owners.ts'
import type { PodRow } from './pod-index.ts'
import { countedPods, type Workload, workloadState } from './workload-state.ts'

/** `asked`: whether its kind was asked for by name. */
export function isListed(kind: ClusterKind, { metadata }: Workload, asked: boolean): boolean {
  if (isOurs(metadata)) return false
  const owner = controllerOf(metadata)?.kind
  return (
    asked ||
    kind !== 'replicaset' ||
    (owner !== rowOf('deployment').owner && owner !== rowOf('rollout').owner)
  )
}

/** Nothing when only its pods tell: it does not count them, or none of them is ready and they know why. */
export function workloadTarget(
  kind: ClusterKind,
  workload: Workload,
  pods?: readonly PodRow[],
): Target | undefined {
  const counted = countedPods(kind, workload)
  if (pods === undefined && (counted === undefined || (counted.ready === 0 && counted.total > 0)))
    return undefined
  const count = counted ?? {
    ready: (pods ?? []).filter(({ state }) => state.ready).length,
    total: (pods ?? []).length,
  }
  const unready = pods?.find(({ state }) => !state.ready)
  const told = unready === undefined ? undefined : `pod ${unready.name}: ${unready.state.reason}`
  const { ready, reason } = workloadState(kind, workload, count, told)
  const { name = '', namespace } = workload.metadata ?? {}
  return {
    target: `${kind}/${name}`,
    kind,
    name,
    ready,
    ...shapeOf(kind, workload, pods?.[0]),
    pods: count,
    ...(namespace === undefined ? {} : { namespace }),
    ...(reason === undefined ? {} : { reason }),
  }
}

/** Ports and containers by its template; of a service, which has none, by its first pod, else by the ports that it leads to. */
function shapeOf(
  kind: ClusterKind,
  { spec }: Workload,
  pod: PodRow | undefined,
): Pick<Target, 'ports' | 'containers'> {
  const template = spec?.template?.spec ?? spec?.jobTemplate?.spec?.template?.spec
  if (template !== undefined)
    return { ports: declaredPorts(template), containers: containerNames({ spec: template }) }
  if (pod !== undefined) return { ports: pod.ports, containers: pod.containers }
  if (kind !== 'service') return { ports: [] }
  const led = (spec?.ports ?? []).filter(({ protocol }) => protocol === undefined || protocol === 'TCP')
  const ports = led.map(({ port, targetPort }) => (typeof targetPort === 'number' ? targetPort : port))
  return { ports: [...new Set(ports)].sort((a, b) => a - b) }
}

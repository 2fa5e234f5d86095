// What a list keeps of each pod, so that thousands of them cost little memory, and which of them are a workload's; pure.
import type { V1Pod } from '@kubernetes/client-node'
import type { Target } from '../../../protocol/rpc/targets.ts'
import { isOurs } from '../ours.ts'
import { containerNames, declaredPorts } from './containers.ts'
import { type ClusterKind, rowOf } from './kinds.ts'
import { controllerOf, workloadKey } from './owners.ts'
import { podState, type State } from './pod-state.ts'
import { hasLabels } from './selector.ts'
import { activeJobs, type Workload } from './workload-state.ts'

export type PodRow = {
  namespace: string
  name: string
  labels: Readonly<Record<string, string>>
  state: State
  ports: number[]
  containers: string[]
  /** Its controller, and the workload behind it: "ReplicaSet/shop-7f9", "Deployment/shop". */
  owners: string[]
  controllerUid: string | undefined
  /** An agent's. */
  ours: boolean
}

export function podRow(item: object): PodRow {
  const pod = item as V1Pod
  const { metadata } = pod
  const controller = controllerOf(metadata)
  const workload = workloadKey(metadata)
  const owners = [controller, workload].flatMap(owner =>
    owner === undefined ? [] : [`${owner.kind}/${owner.name}`],
  )
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    labels: metadata?.labels ?? {},
    state: podState(pod),
    ports: declaredPorts(pod.spec),
    containers: containerNames(pod),
    owners: [...new Set(owners)],
    controllerUid: controller?.uid,
    ours: isOurs(metadata),
  }
}

export function podTarget({ namespace, name, state, ports, containers }: PodRow): Target {
  return {
    target: `pod/${name}`,
    kind: 'pod',
    name,
    ready: state.ready,
    ports,
    namespace,
    containers,
    ...(state.reason === undefined ? {} : { reason: state.reason }),
  }
}

export class PodIndex {
  /** Whether all pods of the place are in it. */
  complete = false
  readonly #byNamespace = new Map<string, PodRow[]>()

  add(pod: PodRow): void {
    const pods = this.#byNamespace.get(pod.namespace)
    if (pods === undefined) this.#byNamespace.set(pod.namespace, [pod])
    else pods.push(pod)
  }

  of(kind: ClusterKind, workload: Workload): PodRow[] {
    const { namespace = '', name = '', uid } = workload.metadata ?? {}
    const pods = this.#byNamespace.get(namespace) ?? []
    if (kind === 'service') {
      const selector = workload.spec?.selector as Record<string, string> | undefined
      const selects = selector !== undefined && Object.keys(selector).length > 0
      return selects ? pods.filter(({ labels }) => hasLabels(labels, selector)) : []
    }
    if (kind === 'cronjob') {
      const uids = activeJobs(workload.status).map(job => job.uid)
      return pods.filter(({ controllerUid }) => controllerUid !== undefined && uids.includes(controllerUid))
    }
    const owner = `${rowOf(kind).owner}/${name}`
    return pods.filter(
      ({ owners, controllerUid }) => (uid !== undefined && controllerUid === uid) || owners.includes(owner),
    )
  }
}

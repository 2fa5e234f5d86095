// Whose pod a pod is: labels alone would take a foreign pod that happens to wear them; pure.
import type { V1ObjectMeta, V1OwnerReference } from '@kubernetes/client-node'
import { type ClusterKind, rowOf } from './kinds.ts'

/** `through`: only the ReplicaSet of this name knows. */
export type Ownership = { owned: boolean } | { through: string }

export type Owner = { kind: ClusterKind; name: string; uid: string }

/** The labels that deployments and Argo rollouts put on their pods, and end the names of their replica sets with. */
const hashLabels: Partial<Record<ClusterKind, string>> = {
  deployment: 'pod-template-hash',
  rollout: 'rollouts-pod-template-hash',
}

export function controllerOf(metadata: V1ObjectMeta | undefined): V1OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller === true)
}

/**
 * Deployments and rollouts own pods through replica sets, which they name NAME-HASH with the hash that is also a label of the pod (source:
 * Kubernetes, deployment controller, sync.go; Argo Rollouts, sync.go). So nobody needs the right to read replica sets, but for one that was
 * adopted under another name. Services and labels own nothing: each pod that they select counts.
 */
export function ownershipOf(pod: V1ObjectMeta | undefined, owner: Owner): Ownership {
  if (owner.kind === 'service') return { owned: true }
  const controller = controllerOf(pod)
  const hashLabel = hashLabels[owner.kind]
  if (hashLabel === undefined) return { owned: controller?.uid === owner.uid }
  if (controller?.kind !== 'ReplicaSet') return { owned: false }
  const hash = pod?.labels?.[hashLabel]
  return hash !== undefined && controller.name === `${owner.name}-${hash}`
    ? { owned: true }
    : { through: controller.name }
}

/** The workload that stands for a pod or a replica set: its controller, or of a replica set that follows the naming, the controller's. */
export function workloadKey(metadata: V1ObjectMeta | undefined): { kind: string; name: string } | undefined {
  const controller = controllerOf(metadata)
  if (controller?.kind !== 'ReplicaSet') return controller && { kind: controller.kind, name: controller.name }
  for (const [kind, label] of Object.entries(hashLabels)) {
    const hash = metadata?.labels?.[label]
    if (hash !== undefined && controller.name.endsWith(`-${hash}`))
      return { kind: rowOf(kind as ClusterKind).owner, name: controller.name.slice(0, -hash.length - 1) }
  }
  return { kind: controller.kind, name: controller.name }
}

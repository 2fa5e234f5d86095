// Whether a workload has a ready pod, how many it has, and if none, why: in the words of its own spec, status and conditions; pure.
import type { V1LabelSelector, V1ObjectMeta, V1PodSpec } from '@kubernetes/client-node'
import type { ClusterKind } from './kinds.ts'
import { clip, joined, type State } from './pod-state.ts'

/** What is read of any kind that owns or selects pods; all fields as the API server writes them. */
export type Workload = {
  metadata?: V1ObjectMeta
  spec?: {
    /** Of a service: plain labels. */
    selector?: V1LabelSelector | Record<string, string>
    replicas?: number
    suspend?: boolean
    template?: { spec?: V1PodSpec }
    jobTemplate?: { spec?: { template?: { spec?: V1PodSpec } } }
    workloadRef?: { kind?: string; name?: string }
    type?: string
    externalName?: string
    ports?: { port: number; targetPort?: number | string; protocol?: string }[]
  }
  status?: {
    replicas?: number
    readyReplicas?: number
    desiredNumberScheduled?: number
    currentNumberScheduled?: number
    numberReady?: number
    /** Of a job a number, of a cron job references. */
    active?: number | { name?: string; uid?: string }[]
    ready?: number
    lastScheduleTime?: string
    /** Of a rollout: its selector as text. */
    selector?: string
    message?: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
  }
}

export type PodCount = { ready: number; total: number }

/** Its pods by its own status; nothing for kinds whose status does not count them. */
export function countedPods(kind: ClusterKind, { status }: Workload): PodCount | undefined {
  if (kind === 'service' || kind === 'cronjob' || kind === 'pod') return undefined
  if (kind === 'daemonset')
    return { ready: status?.numberReady ?? 0, total: status?.currentNumberScheduled ?? 0 }
  if (kind === 'job')
    return { ready: status?.ready ?? 0, total: typeof status?.active === 'number' ? status.active : 0 }
  return { ready: status?.readyReplicas ?? 0, total: status?.replicas ?? 0 }
}

/**
 * `pods`: its pods as counted by its status or one by one. `told`: what its pods say of themselves when none is ready ("pod shop-7f9: ...").
 * `ready` when one pod is: a session takes that one.
 */
export function workloadState(
  kind: ClusterKind,
  workload: Workload,
  pods: PodCount,
  told: string | undefined,
): State {
  if (pods.ready > 0) return { ready: true }
  return {
    ready: false,
    reason: clip(restReason(kind, workload) ?? unreadyReason(kind, workload, pods, told)),
  }
}

/** The jobs of a cron job that run. */
export function activeJobs(status: Workload['status']): { name?: string; uid?: string }[] {
  return Array.isArray(status?.active) ? status.active : []
}

/** It has no pod because it should have none. */
function restReason(kind: ClusterKind, { spec, status }: Workload): string | undefined {
  if (spec?.replicas === 0 && kind !== 'service' && !status?.replicas) return 'scaled to 0'
  if (kind === 'service') return serviceRest(spec)
  if (kind === 'daemonset' && status?.desiredNumberScheduled === 0) return 'no node fits it'
  if (kind === 'job') return jobEnd(status) ?? (spec?.suspend === true ? 'suspended' : undefined)
  if (kind === 'cronjob' && activeJobs(status).length === 0) {
    const last =
      status?.lastScheduleTime === undefined
        ? 'it never ran one'
        : `the last began at ${status.lastScheduleTime}`
    return spec?.suspend === true ? `suspended (${last})` : `no job of it runs (${last})`
  }
  return undefined
}

function serviceRest(spec: Workload['spec']): string | undefined {
  if (spec?.type === 'ExternalName') return `it selects no pods: it is another name of "${spec.externalName}"`
  return Object.keys(spec?.selector ?? {}).length === 0 ? 'it selects no pods: it has no selector' : undefined
}

function jobEnd(status: Workload['status']): string | undefined {
  const over = status?.conditions?.find(
    each => (each.type === 'Complete' || each.type === 'Failed') && each.status === 'True',
  )
  if (over === undefined) return undefined
  return over.type === 'Complete' ? 'completed' : joined('failed', joined(over.reason, over.message))
}

function unreadyReason(
  kind: ClusterKind,
  workload: Workload,
  { total }: PodCount,
  told: string | undefined,
): string {
  const wanted = Math.max(total, wantedPods(workload))
  const count = wanted === 0 ? 'it has no pod' : `0 of ${wanted} ready`
  const cause = told ?? conditionReason(workload)
  if (kind === 'service' && total === 0) return 'no pod has the labels that it selects'
  return joined(count, cause) ?? count
}

function wantedPods({ spec, status }: Workload): number {
  return spec?.replicas ?? status?.desiredNumberScheduled ?? 0
}

/** Source: Kubernetes, apps/v1 DeploymentConditionType and ReplicaSetConditionType; a rollout's own message. */
function conditionReason({ status }: Workload): string | undefined {
  const failure = status?.conditions?.find(each => each.type === 'ReplicaFailure' && each.status === 'True')
  const stuck = status?.conditions?.find(each => each.type === 'Progressing' && each.status === 'False')
  return failure?.message ?? stuck?.message ?? status?.message
}

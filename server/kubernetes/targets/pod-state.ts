// Whether a pod is ready, and if not, why: in the words of its own conditions and container statuses; pure.
import type { V1ContainerStatus, V1Pod, V1PodCondition } from '@kubernetes/client-node'

export type State = { ready: boolean; reason?: string }

/** What the state is read from: a whole pod, or what a list keeps of one. */
export type PodFacts = Pick<V1Pod, 'metadata' | 'spec' | 'status'>

/** The kubelet's own messages can hold whole answers of registries. */
const longestReason = 240

/**
 * `ready` is the pod's condition of that name, unless it is being deleted. The reason is the one that stands nearest to the cause: deletion, the
 * end of the pod, scheduling, an init container, a container, the condition.
 */
export function podState({ metadata, spec, status }: PodFacts): State {
  const reason = metadata?.deletionTimestamp
    ? 'it is being deleted'
    : (endReason(status) ?? (isReady(status) ? undefined : pendingReason(spec, status)))
  return reason === undefined ? { ready: true } : { ready: false, reason: clip(reason) }
}

export function clip(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= longestReason ? line : `${line.slice(0, longestReason)}...`
}

function condition(status: V1Pod['status'], type: string): V1PodCondition | undefined {
  return status?.conditions?.find(each => each.type === type)
}

function isReady(status: V1Pod['status']): boolean {
  return status?.phase === 'Running' && condition(status, 'Ready')?.status === 'True'
}

function endReason(status: V1Pod['status']): string | undefined {
  if (status?.phase === 'Succeeded') return 'completed'
  if (status?.phase !== 'Failed') return undefined
  const failed = status.containerStatuses?.find(each => (each.state?.terminated?.exitCode ?? 0) !== 0)
  return joined(
    'failed',
    joined(status.reason, status.message) ?? (failed && containerReason(failed)) ?? undefined,
  )
}

function pendingReason(spec: V1Pod['spec'], status: V1Pod['status']): string {
  const unscheduled = condition(status, 'PodScheduled')
  if (unscheduled?.status === 'False')
    return joined(unscheduled.reason, unscheduled.message) ?? 'not scheduled'
  const initial = initReason(spec, status)
  if (initial !== undefined) return initial
  const statuses = status?.containerStatuses ?? []
  const broken = statuses.find(isBroken) ?? statuses.find(each => each.state?.running === undefined)
  if (broken !== undefined) return containerReason(broken)
  const unready = statuses.find(each => !each.ready)
  if (unready !== undefined) return runningReason(spec, unready)
  const gate = spec?.readinessGates?.find(each => condition(status, each.conditionType)?.status !== 'True')
  if (gate !== undefined) return `its readiness gate "${gate.conditionType}" is not true`
  const ready = condition(status, 'Ready')
  return joined(ready?.reason, ready?.message) ?? joined(status?.reason, status?.message) ?? 'not started'
}

/** A native sidecar (restartPolicy Always) is started, not finished, before the next container comes. */
function initReason(spec: V1Pod['spec'], status: V1Pod['status']): string | undefined {
  const pending = (status?.initContainerStatuses ?? []).find(each => {
    const always = spec?.initContainers?.find(({ name }) => name === each.name)?.restartPolicy === 'Always'
    return always ? each.started !== true : each.state?.terminated?.exitCode !== 0
  })
  if (pending === undefined) return undefined
  return pending.state?.running === undefined
    ? `init ${containerReason(pending)}`
    : `init container "${pending.name}" has not finished`
}

/** Waiting for something else than its turn. */
function isBroken({ state }: V1ContainerStatus): boolean {
  const reason = state?.waiting?.reason
  return reason !== undefined && reason !== 'ContainerCreating' && reason !== 'PodInitializing'
}

/** "container "web": CrashLoopBackOff: back-off 40s restarting failed container". */
export function containerReason({ name, state, lastState }: V1ContainerStatus): string {
  const { waiting, terminated } = state ?? {}
  if (terminated !== undefined)
    return `container "${name}": ${joined(terminated.reason, `exit code ${terminated.exitCode}`)}`
  const text = joined(waiting?.reason, withoutIds(waiting?.message)) ?? 'it does not run'
  const last = lastState?.terminated
  const ended = last === undefined ? '' : ` (it ended with exit code ${last.exitCode})`
  return `container "${name}": ${text}${ended}`
}

function runningReason(spec: V1Pod['spec'], { name, started }: V1ContainerStatus): string {
  const container = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(
    each => each.name === name,
  )
  if (container?.startupProbe && started !== true)
    return `container "${name}" runs, but its startup probe has not succeeded`
  return container?.readinessProbe
    ? `container "${name}" runs, but its readiness probe does not succeed`
    : `container "${name}" runs, but is not ready`
}

/** The kubelet ends its messages with the pod's name and uid, which the reader has or does not need. */
function withoutIds(message: string | undefined): string | undefined {
  return message?.replace(/ (container=\S+ )?pod=\S+\([-\w]+\)$/, '')
}

export function joined(reason: string | undefined, message: string | undefined): string | undefined {
  const parts = [reason, message].filter(part => part !== undefined && part !== '')
  return parts.length === 0 ? undefined : parts.join(': ')
}

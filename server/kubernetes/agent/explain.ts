// Where an agent is on its way from its Job to a running container, why it waits, and whether waiting can help; pure.
import type { V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import { clip } from '../targets/pod-state.ts'
import { containerEnd } from './explain-end.ts'
import { explainImage } from './explain-image.ts'
import { explainScheduling } from './explain-scheduling.ts'
import { agentContainerName } from './marks.ts'
import { refusalFailure, refusalOf } from './refusal.ts'
import { type Circumstances, type Explanation, lastOf, type Sight } from './sight.ts'

export function explain(sight: Sight, about: Circumstances): Explanation {
  const { pod, container } = sight
  if (container?.state?.terminated !== undefined)
    return {
      step: 'start',
      message: 'its container ended',
      failure: containerEnd(container.state.terminated),
    }
  if (container?.state?.running !== undefined || hasStarted(sight))
    return { step: 'deliver', message: 'delivering the agent to its pod' }
  if (pod === undefined) return withoutPod(sight, about)
  if (!about.ephemeral) {
    if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return podFailed(pod, about)
    if (conditionOf(pod, 'PodScheduled')?.status !== 'True') return explainScheduling(pod, about)
  }
  return explainImage(sight, about) ?? starting(sight, about)
}

/** The kubelet tells of a start by an event at once, and by the pod's status up to a second later. */
function hasStarted({ events }: Sight): boolean {
  return events.some(
    ({ reason, involvedObject: { fieldPath = '' } }) =>
      reason === 'Started' &&
      (fieldPath === `spec.containers{${agentContainerName}}` ||
        fieldPath.startsWith('spec.ephemeralContainers{')),
  )
}

function conditionOf(pod: V1Pod, type: string) {
  return pod.status?.conditions?.find(each => each.type === type)
}

/** The Job is there and its pod is not: what the Job's controller was told when it tried. */
function withoutPod({ events }: Sight, about: Circumstances): Explanation {
  if (about.ephemeral) return { step: 'start', message: 'waiting for the container to be started' }
  const refused = lastOf(events, ({ reason }) => reason === 'FailedCreate')
  if (refused === undefined) return { step: 'job', message: 'waiting for the pod of its Job' }
  const refusal = refusalOf(refused.message ?? '', about)
  const failure = refusalFailure(refusal, about)
  const message = `its pod is refused: ${refusal.reason}`
  return refusal.hopeless ? { step: 'job', message, failure } : { step: 'job', message, late: failure }
}

/** The node itself refused or removed it: OutOfcpu, Evicted, NodeAffinity, Preempting... */
function podFailed({ spec, status }: V1Pod, about: Circumstances): Explanation {
  const reason = clip([status?.reason, status?.message].filter(Boolean).join(': ') || 'its pod failed')
  const fix = 'Free room on that node, or lower agent.resources'
  const values = { where: `node "${spec?.nodeName ?? about.node}"`, reason, fix }
  return { step: 'start', message: reason, failure: new Failure('agent-not-scheduled', values) }
}

/** The image is there, or the kubelet has not looked yet: sandbox, volumes, container. */
function starting({ pod, container, events }: Sight, about: Circumstances): Explanation {
  const waiting = container?.state?.waiting
  const wrong = lastOf(
    events,
    ({ type, reason }) => type === 'Warning' && startWarnings.includes(reason ?? ''),
  )
  if (waiting?.reason === 'CreateContainerConfigError' || waiting?.reason === 'CreateContainerError') {
    const reason = clip((waiting.message ?? waiting.reason).replace(/ \(pod: .*\)$/, ''))
    const fix = 'Correct agent.security_context and agent.image'
    const failure = new Failure('agent-refused', { namespace: about.namespace, reason, fix })
    const config = waiting.reason === 'CreateContainerConfigError'
    return { step: 'start', message: reason, ...(config ? { failure } : { late: failure }) }
  }
  if (wrong !== undefined) return { step: 'start', message: clip(wrong.message ?? wrong.reason ?? '') }
  return container === undefined &&
    events.every(({ involvedObject, reason }) => involvedObject.kind !== 'Pod' || reason === 'Scheduled')
    ? { step: 'start', message: `waiting for node "${pod?.spec?.nodeName ?? about.node}" to take it up` }
    : { step: 'start', message: 'starting its container' }
}

/** Reasons of events of the kubelet; source: kubernetes pkg/kubelet/events. */
const startWarnings = [
  'FailedCreatePodSandBox',
  'FailedMount',
  'FailedMapVolume',
  'FailedSync',
  'NetworkNotReady',
  'FailedPodSandBoxStatus',
  'NodeNotReady',
]

/** When the time for starting is over. */
export function tooSlow({ message, late }: Explanation, seconds: number): Failure {
  return late ?? new Failure('agent-slow', { seconds, reason: message })
}

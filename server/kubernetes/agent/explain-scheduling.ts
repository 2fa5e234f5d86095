// Why the scheduler does not put an agent's pod on its one node, or without a target on any; pure.
import type { V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import { clip } from '../targets/pod-state.ts'
import type { Circumstances, Explanation } from './sight.ts'

export function explainScheduling(pod: V1Pod, about: Circumstances): Explanation {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (condition?.status !== 'False')
    return { step: 'schedule', message: `waiting for its place on ${placeOf(about)}` }
  if (condition.reason === 'SchedulingGated') {
    const reason = 'a scheduling gate that the cluster put on its pod is not lifted'
    const fix = 'Ask who runs the cluster which component gates pods, or set agent.namespace'
    return { step: 'schedule', message: reason, late: notScheduled(about, reason, fix) }
  }
  const reasons = reasonsOfNode(condition.message ?? '')
  const elsewhere = reasons.length === 0
  const reason = elsewhere ? mismatch(about) : reasons.join(', ')
  const late = notScheduled(about, reason, elsewhere ? mismatchFix(about) : fixOf(reason, about))
  return { step: 'schedule', message: `${placeOf(about)}: ${reason}`, ...decide(late, elsewhere, about) }
}

function placeOf({ node, targetless }: Circumstances): string {
  return targetless ? 'any node' : `node "${node}"`
}

/**
 * A node's labels do not change by waiting, though another node may come; that a node is gone may be a matter of moments, and its pods go with
 * it.
 */
function decide(late: Failure, elsewhere: boolean, { selects, targetless }: Circumstances) {
  return elsewhere && selects && !targetless ? { failure: late } : { late }
}

function notScheduled(about: Circumstances, reason: string, fix: string): Failure {
  return new Failure('agent-not-scheduled', { where: placeOf(about), reason: clip(reason), fix })
}

function mismatch({ selects, targetless }: Circumstances): string {
  if (targetless) return selects ? 'agent.node_selector fits no Linux node' : 'there is no Linux node'
  return selects
    ? 'agent.node_selector does not fit it, and the agent has to stand on the node of its target'
    : 'the scheduler does not know it any more'
}

function mismatchFix({ selects, targetless }: Circumstances): string {
  if (targetless && !selects) return 'Look at "kubectl get nodes", and try again when a Linux node is ready'
  return selects ? 'Take agent.node_selector away' : 'Start the session again when the target runs elsewhere'
}

/**
 * "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: ..." is "not enough cpu": the
 * nodes that the affinity excludes say nothing. Source: kubernetes pkg/scheduler/framework/types.go, FitError.
 */
export function reasonsOfNode(message: string): string[] {
  const about =
    /nodes are available: (.*?)\.(?: (?:no new claims|preemption:)|$)/.exec(message)?.[1] ?? message
  return splitReasons(about)
    .filter(reason => !/NodeAffinity|affinity\/selector/.test(reason))
    .map(reason =>
      reason
        .replace(/^\d+ (node\(s\) )?/, '')
        .replace(/^Insufficient (.*)$/, 'not enough $1 (Insufficient $1)')
        .replace(/^Too many pods$/, 'it has as many pods as it may (Too many pods)'),
    )
}

/** A taint in braces may hold a comma. */
function splitReasons(text: string): string[] {
  return text.split(/, (?=\d+ )/).filter(reason => reason !== '')
}

function fixOf(reason: string, { targetless }: Circumstances): string {
  if (targetless) return fixAnywhere(reason)
  if (/Insufficient/.test(reason)) return 'Free room on that node, or lower agent.resources.requests'
  if (/Too many pods/.test(reason))
    return 'Free a place on that node, or set agent.ephemeral to true, which needs none'
  if (/taint/.test(reason)) return 'Set agent.tolerations to tolerate it, or leave agent.tolerations away'
  if (/unschedulable/.test(reason))
    return 'Run "kubectl uncordon" on that node, or leave agent.tolerations away'
  return 'Mend what the scheduler names, or start the session again when the target runs elsewhere'
}

function fixAnywhere(reason: string): string {
  if (/Insufficient/.test(reason)) return 'Free room on a node, or lower agent.resources.requests'
  if (/taint/.test(reason)) return 'Set agent.tolerations to tolerate it'
  return 'Mend what the scheduler names, and try again'
}

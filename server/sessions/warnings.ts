// What the user should know about a session that has just started.
import type { TargetFacts } from '../../protocol/agent/control.ts'
import type { OutgoingRules } from '../../protocol/hook/messages.ts'
import type { HookSupport } from '../processes/probe.ts'

export function warningsOf({
  facts,
  support,
  mirror,
  outgoing,
  known,
}: {
  facts: Pick<TargetFacts, 'ports' | 'ownNetwork' | 'sidecar'> & {
    target: Pick<TargetFacts['target'], 'kind'>
  }
  support: HookSupport
  mirror: boolean
  /** What of processes leaves from the pod. */
  outgoing: Pick<OutgoingRules, 'tcp' | 'unix'>
  /** What was seen on the way here. */
  known: readonly string[]
}): string[] {
  const warnings = [...known]
  // A session that neither gives nor takes traffic is one of forwards or views.
  if (!support.hooks && (mirror || outgoing.tcp)) {
    warnings.push(`${support.failure.message}. ${support.failure.data.fix}`)
  }
  if (mirror && facts.ports.length === 0) {
    warnings.push('The target listens on no TCP port yet; its traffic is followed as soon as it does')
  }
  if (mirror && !facts.ownNetwork) {
    warnings.push(
      "The target shares this machine's network, so its ports are taken here: the process is given others instead",
    )
  }
  if (facts.sidecar !== undefined) {
    warnings.push(
      `The mesh sidecar of ${facts.sidecar} stands before the target: what it passes on is mirrored`,
    )
  }
  if (outgoing.unix !== undefined && facts.target.kind === 'targetless') {
    warnings.push(
      'A session without a target has no Unix sockets: a connection to one that feature.network.outgoing.unix_streams names gets EOPNOTSUPP',
    )
  }
  return warnings
}

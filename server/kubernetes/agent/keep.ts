// Whether an agent's Job is left to Kubernetes when it has ended, so that its log can be read; pure.
import type { V1ContainerState } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import type { JobIdentity } from './remove.ts'

/** How long the finished Job stays for its log; then Kubernetes removes it. */
export function keptSeconds({ ttl = 0 }: AgentConfig): number {
  return ttl
}

/**
 * Whether the Job is left to the cluster's clock for its log's sake: where its container ran, which ends by itself then, asked to or without a
 * server. What never ran, or was called off, has nothing to say.
 */
export function isKept(job: {
  seconds: number
  state: V1ContainerState | undefined
  cancelled: boolean
}): boolean {
  const { seconds, state, cancelled } = job
  const ran = state?.running !== undefined || state?.terminated !== undefined
  return seconds > 0 && ran && !cancelled
}

export function keptText({ namespace, name }: JobIdentity, seconds: number): string {
  return `Job ${name} is kept for ${seconds} s after its end (agent.ttl): "kubectl logs -n ${namespace} job/${name}" shows its log`
}

// Brings an agent to a pod, as a Job on its node or as an ephemeral container in it; or to a namespace alone, as a Job anywhere.
import type { AgentConfig } from '../../../protocol/config.ts'
import type { Agent, AgentOptions } from '../../targets/found.ts'
import type { Api } from '../client/api.ts'
import { startEphemeral } from './start-ephemeral.ts'
import { startJob } from './start-job.ts'
import type { Place } from './target-watch.ts'

/**
 * Resolves when the agent has entered the target and serves. Cancelled or failed, nothing of it is left, or it ends by itself; fails with
 * `agent-*`, `pod-ended`, `cluster-*`, `namespace-not-found`, or the signal's reason.
 */
export function startClusterAgent(
  api: Api,
  place: Place,
  config: AgentConfig | undefined,
  options: AgentOptions,
): Promise<Agent> {
  if (config?.ephemeral === true) return startEphemeral(api, place, config, options)
  return startJob(api, { namespace: place.namespace, place }, config ?? {}, options)
}

/** The same without a target: its connections leave from the pod of the Job. */
export function startTargetlessAgent(
  api: Api,
  namespace: string,
  config: AgentConfig,
  options: AgentOptions,
): Promise<Agent> {
  return startJob(api, { namespace }, config, options)
}

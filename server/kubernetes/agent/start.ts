// Brings an agent to a pod: as a Job on its node, or as an ephemeral container in it.
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
  const start = config?.ephemeral === true ? startEphemeral : startJob
  return start(api, place, config ?? {}, options)
}

// What is known of an agent while it starts, and what can be said of it.
import type { CoreV1Event, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import type { Failure } from '../../../protocol/errors.ts'

/** What is known of the agent's objects at one moment. */
export type Sight = {
  /** The Job's pod, or the target's when the agent is an ephemeral container. */
  pod?: V1Pod | undefined
  /** Of the agent's container. */
  container?: V1ContainerStatus | undefined
  /** Of the Job and of the pod, the oldest first. */
  events: readonly CoreV1Event[]
}

export type Circumstances = {
  /** Of the agent. */
  namespace: string
  /** The target's. */
  node: string
  image: string
  ephemeral: boolean
  /** There is no target, so that any node does. */
  targetless?: boolean
  /** Whether the user's node_selector is on the pod. */
  selects: boolean
}

export const agentSteps = ['job', 'schedule', 'pull', 'start', 'deliver'] as const
export type AgentStep = (typeof agentSteps)[number]

export type Explanation = {
  step: AgentStep
  /** What it waits for, as a phrase: "pulling image "node:22-slim"". */
  message: string
  /** What is wrong, when something is known to be: part of the failure when time is up. */
  late?: Failure
  /** Waiting longer cannot help. */
  failure?: Failure
}

export function lastOf<T>(list: readonly T[], which: (item: T) => boolean): T | undefined {
  return list.findLast(which)
}

// The agent's container as both a Job and an ephemeral container have it: a stock image, a bootstrap, and no more rights than it needs.
import type { V1EphemeralContainer } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'

export const defaultImage = 'node:22-slim'

/**
 * In a Job: SYS_PTRACE looks into the target's process, SYS_ADMIN enters its namespaces, NET_RAW captures, NET_ADMIN and BPF are for
 * stealing. An ephemeral container is in the pod's namespaces from the beginning and enters none.
 */
export const capabilities = {
  job: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN', 'NET_RAW', 'BPF'],
  ephemeral: ['SYS_PTRACE', 'NET_ADMIN', 'NET_RAW'],
} as const

export type Mode = keyof typeof capabilities

/** Where the bootstrap may write, whatever the image: memory of the node, gone with the container. */
export const writableFolder = '/tmp'

export type AgentContainer = Pick<
  V1EphemeralContainer,
  'image' | 'imagePullPolicy' | 'command' | 'securityContext' | 'terminationMessagePolicy'
>

/**
 * `command`: what bootstrapCommand gives. The last lines of a container that failed come with its status (`FallbackToLogsOnError`), so
 * that they are known although the Job is gone at once, and without the right to read logs.
 */
export function agentContainer(mode: Mode, command: readonly string[], config: AgentConfig): AgentContainer {
  return {
    image: imageOf(config),
    imagePullPolicy: config.image_pull_policy ?? 'IfNotPresent',
    command: [...command],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: mode === 'job',
      runAsUser: 0,
      runAsGroup: 0,
      runAsNonRoot: false,
      seccompProfile: { type: 'RuntimeDefault' },
      capabilities: { drop: ['ALL'], add: [...capabilities[mode]] },
      ...config.security_context,
    },
  }
}

export function imageOf(config: AgentConfig | undefined): string {
  return config?.image ?? defaultImage
}

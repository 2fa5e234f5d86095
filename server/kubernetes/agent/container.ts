// The agent's container as a Job, with and without a target, and an ephemeral container have it: a stock image, a bootstrap, and no more rights than it needs.
import type { V1EphemeralContainer } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'

export const defaultImage = 'node:22-slim'

/**
 * In a Job: SYS_PTRACE looks into the target's process, SYS_ADMIN enters its namespaces, NET_RAW captures, NET_ADMIN and BPF are for
 * stealing. An ephemeral container is in the pod's namespaces from the beginning and enters none. Without a target it stays in its own.
 */
export const capabilities = {
  job: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN', 'NET_RAW', 'BPF'],
  ephemeral: ['SYS_PTRACE', 'NET_ADMIN', 'NET_RAW'],
  targetless: [],
} as const

export type Mode = keyof typeof capabilities

const root = { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false }
/** By number, since the kubelet cannot tell whether a name is root's, and the stock image's own user is root. */
const nobody = { runAsUser: 65_534, runAsGroup: 65_534, runAsNonRoot: true }

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
  const add = [...capabilities[mode]]
  return {
    image: imageOf(config),
    imagePullPolicy: config.image_pull_policy ?? 'IfNotPresent',
    command: [...command],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: mode !== 'ephemeral',
      ...(mode === 'targetless' ? nobody : root),
      seccompProfile: { type: 'RuntimeDefault' },
      capabilities: { drop: ['ALL'], ...(add.length === 0 ? {} : { add }) },
      ...config.security_context,
    },
  }
}

export function imageOf(config: AgentConfig | undefined): string {
  return config?.image ?? defaultImage
}

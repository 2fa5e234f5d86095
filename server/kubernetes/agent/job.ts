// The Job that carries an agent: pinned to the target's node if there is a target, with a deadline, and with nothing in it that lets anyone in.
import type { V1Job, V1Toleration } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import { agentContainer, writableFolder } from './container.ts'
import { agentContainerName, jobMarks, podMarks } from './marks.ts'

/** How long a Job may run that nobody extends (lease.ts): it bounds what a server that was killed leaves behind. */
export const leaseSeconds = 600
export const startupSeconds = 60
/** The bootstrap ends when no server has delivered its code by then. */
export const waitSeconds = 60
/** Of 127.0.0.1 in the Job's own network namespace, where nothing else listens; below the ports that Linux gives out. */
export const jobPort = 27_183
/** The bootstrap and the agent end at SIGTERM at once. */
const graceSeconds = 5

/** What the agent needs is small; the limits bound what a fault of ours could take from the node. */
const defaultResources: NonNullable<AgentConfig['resources']> = {
  requests: { cpu: '10m', memory: '48Mi' },
  limits: { cpu: '1', memory: '512Mi' },
}

/** `node`: the target's; undefined without a target. `command`: what bootstrapCommand gives for jobPort. */
export function agentJob(options: {
  name: string
  node: string | undefined
  command: readonly string[]
  config: AgentConfig
}): V1Job {
  const { name, config } = options
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, ...jobMarks(name, config) },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 0,
      ttlSecondsAfterFinished: config.ttl ?? 0,
      activeDeadlineSeconds: Math.max(leaseSeconds, startupTimeoutSeconds(config) + 60),
      template: { metadata: podMarks(name, config), spec: podSpec(options) },
    },
  }
}

export function startupTimeoutSeconds(config: AgentConfig): number {
  return config.startup_timeout ?? startupSeconds
}

type PodSpec = NonNullable<NonNullable<V1Job['spec']>['template']['spec']>

function podSpec(options: {
  node: string | undefined
  command: readonly string[]
  config: AgentConfig
}): PodSpec {
  const { node, command, config } = options
  const { priority_class, service_account, image_pull_secrets } = config
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: graceSeconds,
    ...(node === undefined ? withoutTarget(command, config) : beside(node, command, config)),
    ...(priority_class === undefined ? {} : { priorityClassName: priority_class }),
    ...(service_account === undefined ? {} : { serviceAccountName: service_account }),
    ...(image_pull_secrets === undefined ? {} : { imagePullSecrets: image_pull_secrets }),
  }
}

/**
 * As every pod of the namespace: on any Linux node that takes it, and with the variables of the namespace's services. Pod Security
 * "restricted" admits it.
 */
function withoutTarget(command: readonly string[], config: AgentConfig): PodSpec {
  const { node_selector, tolerations } = config
  return {
    enableServiceLinks: true,
    nodeSelector: { 'kubernetes.io/os': 'linux', ...node_selector },
    containers: [
      {
        name: agentContainerName,
        ...agentContainer('targetless', command, config),
        resources: resourcesOf(config),
      },
    ],
    ...(tolerations === undefined ? {} : { tolerations: tolerations as V1Toleration[] }),
  }
}

/**
 * The scheduler places the pod, on the one node that the affinity leaves, as it does for a DaemonSet: naming the node outright would pass it
 * by, and then a node without room says no more than "failed".
 */
function beside(node: string, command: readonly string[], config: AgentConfig): PodSpec {
  const { node_selector } = config
  return {
    hostPID: true,
    enableServiceLinks: false,
    affinity: pinnedTo(node),
    tolerations: tolerationsOf(config),
    containers: [
      {
        name: agentContainerName,
        ...agentContainer('job', command, config),
        resources: resourcesOf(config),
        volumeMounts: [{ name: 'scratch', mountPath: writableFolder }],
      },
    ],
    volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } }],
    ...(node_selector === undefined ? {} : { nodeSelector: node_selector }),
  }
}

/** By the node's name, since its hostname label may be another. */
function pinnedTo(node: string) {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }]
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  }
}

/** The target runs on this node whatever taints it has, so the agent may too. */
function tolerationsOf(config: AgentConfig): V1Toleration[] {
  return (config.tolerations as V1Toleration[] | undefined) ?? [{ operator: 'Exists' }]
}

/** What the user gives stands alone: Kubernetes fills what is missing in it, and a default of ours might contradict it. */
function resourcesOf(config: AgentConfig) {
  const { requests, limits } = config.resources ?? defaultResources
  return {
    ...(requests === undefined ? {} : { requests: strings(requests) }),
    ...(limits === undefined ? {} : { limits: strings(limits) }),
  }
}

/** YAML gives "cpu: 1" as a number, which Kubernetes takes as text only. */
function strings(quantities: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, String(value)]))
}

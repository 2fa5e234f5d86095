// Pods to stand in for, and agents that are brought to them over the real port-forward, without the sessions around them.
import { generateKeyPairSync } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { V1Container, V1Pod } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import { bootstrapCommand } from '../../../server/kubernetes/agent/bundle.ts'
import { agentContainer } from '../../../server/kubernetes/agent/container.ts'
import { deliver } from '../../../server/kubernetes/agent/deliver.ts'
import { agentJob, jobPort } from '../../../server/kubernetes/agent/job.ts'
import { agentName } from '../../../server/kubernetes/agent/marks.ts'
import { portForward } from '../../../server/kubernetes/channel/port-forward.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { attachPod, type Bootstrap } from '../../stage/bootstrap.ts'
import { until } from '../run.ts'
import { apply, kubectl, podsReady, waitForObject } from './kubectl.ts'

const image = { image: 'localhost/node:20', imagePullPolicy: 'IfNotPresent' } as const
const agentConfig = { image: image.image, image_pull_policy: image.imagePullPolicy } as const
const startTimeoutMs = 60_000

const program = `require('http').createServer((q, s) => s.end(process.env.GREETING)).listen(8080)`

export type Target = { namespace: string; pod: V1Pod; container: string }

/** A pod "NAME" with the containers "web", which answers at port 8080, and "neighbour", which does nothing. */
export async function startTarget(
  namespace: string,
  name: string,
  spec: Partial<NonNullable<V1Pod['spec']>> & { web?: Partial<V1Container> } = {},
): Promise<Target> {
  const { web: ownWeb, ...ownSpec } = spec
  const env = [
    { name: 'GREETING', value: 'hello from the pod' },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ]
  const web = { name: 'web', ...image, command: ['node', '-e', program], env, ...ownWeb }
  const neighbour = { name: 'neighbour', ...image, command: ['sleep', '3600'] }
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { shop: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [web, neighbour],
      ...ownSpec,
    },
  })
  await podsReady(namespace, `shop=${name}`)
  const pod = JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', name, '-o', 'json'])) as V1Pod
  return { namespace, pod, container: containerId(pod, 'web') }
}

/** As the runtime knows it. */
export function containerId(pod: V1Pod, name: string): string {
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ]
  const id = statuses.find(status => status.name === name)?.containerID ?? ''
  return id.replace(/^.*:\/\//, '')
}

export type PodAgent = {
  readonly keys: Bootstrap['keys']
  /** The pod that it runs in, and its container there. */
  readonly pod: string
  readonly name: string
  readonly port: number
  connect(signal?: AbortSignal): Promise<Duplex>
  /** Brings it the agent for the target, with what else "attach-pod" takes. */
  deliver(target: Target, ...more: string[]): Promise<void>
  /** What its container said. */
  log(): Promise<string>
}

type Started = {
  api: Api
  namespace: string
  pod: string
  name: string
  port: number
  keys: Bootstrap['keys']
}

/** A bootstrap as the container of a Job, on a node by name. */
export async function startJobAgent(
  api: Api,
  namespace: string,
  node: string,
  config: AgentConfig = {},
): Promise<PodAgent> {
  const keys = generateKeyPairSync('ed25519')
  const command = await bootstrapCommand({ publicKey: keys.publicKey, port: jobPort, waitSeconds: 60 })
  const name = agentName()
  const job = agentJob({ name, node, command, config: { ...agentConfig, ...config } })
  await apply({ ...job, metadata: { ...job.metadata, namespace } })
  const pod = await until("the Job's pod", startTimeoutMs, async () => {
    const found = await kubectl(['-n', namespace, 'get', 'pod', '-l', `job-name=${name}`, '-o', 'name'])
    return found.replace('pod/', '')
  })
  await podsReady(namespace, `job-name=${name}`, startTimeoutMs)
  const container = job.spec?.template.spec?.containers[0]?.name ?? ''
  return podAgent({ api, namespace, pod, name: container, port: jobPort, keys })
}

/** A bootstrap as an ephemeral container of the target's own pod. */
export async function startEphemeralAgent(
  api: Api,
  { namespace, pod }: Target,
  port: number,
  config: AgentConfig = {},
): Promise<PodAgent> {
  const keys = generateKeyPairSync('ed25519')
  const command = await bootstrapCommand({ publicKey: keys.publicKey, port, waitSeconds: 60 })
  const name = agentName()
  const container = agentContainer('ephemeral', command, { ...agentConfig, ...config })
  const podName = pod.metadata?.name ?? ''
  const added = { name, targetContainerName: 'web', ...container }
  const patch = ['patch', 'pod', podName, '--subresource', 'ephemeralcontainers', '--patch']
  await kubectl(['-n', namespace, ...patch, JSON.stringify({ spec: { ephemeralContainers: [added] } })])
  await waitForObject('the ephemeral container', ['-n', namespace, 'pod', podName], (found: V1Pod) => {
    const status = found?.status?.ephemeralContainerStatuses?.find(each => each.name === name)
    return status?.state?.running !== undefined
  })
  return podAgent({ api, namespace, pod: podName, name, port, keys })
}

function podAgent({ api, namespace, pod, name, port, keys }: Started): PodAgent {
  const connect = (signal = AbortSignal.timeout(30_000)) => portForward(api, { namespace, pod, port, signal })
  return {
    ...{ keys, pod, name, port, connect },
    async deliver(target, ...more) {
      const { name: targetName = '', uid = '' } = target.pod.metadata ?? {}
      const argv = attachPod(target.container, keys, '--pod', targetName, '--pod-uid', uid, ...more)
      const connection = await listening(connect)
      await deliver(connection, { privateKey: keys.privateKey, argv, signal: AbortSignal.timeout(30_000) })
    },
    log: () => kubectl(['-n', namespace, 'logs', pod, '-c', name]),
  }
}

/** A container that runs does not listen yet: a connection that nothing accepts ends with an error, and is made again. */
function listening(connect: () => Promise<Duplex>): Promise<Duplex> {
  return until('the bootstrap that listens', 10_000, async () => {
    const connection = await connect()
    const spoke = await new Promise<boolean>(resolve => {
      connection.once('readable', () => resolve(connection.readableLength > 0))
      connection.once('error', () => resolve(false)).once('close', () => resolve(false))
    })
    if (!spoke) connection.destroy()
    return spoke && connection
  })
}

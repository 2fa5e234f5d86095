// Targets that no session can take, each for a reason of its own: made together, so that a test file waits once for all of them.
import { apply, kubectl, waitForObject } from './kubectl.ts'

const image = 'localhost/node:20'
const idle = ['node', '-e', 'setInterval(() => {}, 1 << 30)']
const serves = ['node', '-e', `require('http').createServer((q, s) => s.end('x')).listen(8080)`]

type PodSpec = Record<string, unknown> & { containers: readonly Record<string, unknown>[] }

const podSpec = (container: object, more: object = {}): PodSpec => ({
  terminationGracePeriodSeconds: 0,
  automountServiceAccountToken: false,
  containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: idle, ...container }],
  ...more,
})

const specs: Record<string, PodSpec> = {
  // Never ready, not even in the moment before it ends.
  crashing: podSpec({
    command: ['node', '-e', 'process.exit(3)'],
    readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 },
  }),
  imageless: podSpec({ image: 'localhost/none:1', imagePullPolicy: 'Never' }),
  homeless: podSpec({}, { nodeSelector: { disk: 'none' } }),
  unready: podSpec({
    readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 },
    startupProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
  }),
  waiting: podSpec({}, { initContainers: [{ name: 'migrate', image, command: idle }] }),
  shop: podSpec({ command: serves, readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } }),
}

/** Deployments "crashing", "imageless", "homeless", "unready", "waiting" and, in good health, "shop"; pods "done" and "failed"; "empty" has none; "twice" is a Deployment and a CronJob. */
export async function makeBrokenTargets(namespace: string): Promise<void> {
  await apply(
    ...Object.entries(specs).map(([name, spec]) => deployment(namespace, name, spec, 1)),
    deployment(namespace, 'empty', podSpec({}), 0),
    deployment(namespace, 'twice', podSpec({}), 0),
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'twice', namespace },
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: { spec: { template: { spec: { ...podSpec({}), restartPolicy: 'Never' } } } },
      },
    },
    ...['done', 'failed'].map(name => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        ...podSpec({ command: ['node', '-e', name === 'done' ? '' : 'process.exit(7)'] }),
        restartPolicy: 'Never',
      },
    })),
  )
  await Promise.all([
    podIs(namespace, 'app=shop', ({ conditions }) =>
      conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    ),
    podIs(namespace, 'app=crashing', isWaiting('CrashLoopBackOff')),
    podIs(namespace, 'app=imageless', isWaiting('ErrImageNeverPull')),
    podIs(namespace, 'app=homeless', ({ conditions }) =>
      conditions?.some(({ reason }) => reason === 'Unschedulable'),
    ),
    podIs(namespace, 'app=unready', ({ containerStatuses: [main] = [] }) => main?.started === true),
    podIs(
      namespace,
      'app=waiting',
      ({ initContainerStatuses: [init] = [] }) => init?.state?.running !== undefined,
    ),
    podIs(namespace, 'done', ({ phase }) => phase === 'Succeeded'),
    podIs(namespace, 'failed', ({ phase }) => phase === 'Failed'),
  ])
}

type ContainerStatus = { started?: boolean; state?: { running?: object; waiting?: { reason?: string } } }
type PodStatus = {
  phase?: string
  conditions?: { type: string; status: string; reason?: string }[]
  containerStatuses?: ContainerStatus[]
  initContainerStatuses?: ContainerStatus[]
}

const isWaiting =
  (reason: string) =>
  ({ containerStatuses: [main] = [] }: PodStatus) =>
    main?.state?.waiting?.reason === reason

async function podIs(
  namespace: string,
  which: string,
  holds: (status: PodStatus) => boolean | undefined,
): Promise<void> {
  const named = which.includes('=') ? ['pods', '-l', which] : ['pod', which]
  await waitForObject(
    `pod ${which} to be as it should`,
    ['-n', namespace, ...named],
    found => {
      const pod = which.includes('=') ? found?.items[0] : found
      return pod !== undefined && holds(pod.status) === true
    },
    60_000,
  )
}

function deployment(namespace: string, name: string, spec: PodSpec, replicas: number): object {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  }
}

/** A node that no kubelet stands behind, and a pod on it that says that it runs, as one of another kind of node does. */
export async function makeStrangePod(
  namespace: string,
  name: string,
  node: { labels: Record<string, string>; taints?: object[] },
): Promise<{ node: string; remove(): Promise<void> }> {
  const nodeName = `${name}-${namespace}`
  await apply({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: node.labels },
    // Nothing of others' may come here.
    spec: { unschedulable: true, taints: node.taints ?? [] },
  })
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { ...podSpec({}), nodeName, tolerations: [{ operator: 'Exists' }] },
  })
  const at = new Date().toISOString()
  const status = {
    phase: 'Running',
    podIP: '192.0.2.1',
    podIPs: [{ ip: '192.0.2.1' }],
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(type => ({
      ...{ type, status: 'True', lastTransitionTime: at },
    })),
    containerStatuses: [
      {
        ...{ name: 'main', image, imageID: image, ready: true, started: true, restartCount: 0 },
        containerID: `containerd://${'ab'.repeat(32)}`,
        state: { running: { startedAt: at } },
      },
    ],
  }
  const patch = ['patch', 'pod', name, '--subresource', 'status', '--type', 'merge']
  await kubectl(['-n', namespace, ...patch, '-p', JSON.stringify({ status })])
  return {
    node: nodeName,
    async remove() {
      await kubectl(['-n', namespace, 'delete', 'pod', name, '--ignore-not-found', '--force'])
      await kubectl(['delete', 'node', nodeName, '--ignore-not-found'])
    },
  }
}

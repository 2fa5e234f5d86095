// A shop for journeys of sessions: a deployment of hash-server in a namespace of its own, its service, and a pod among whose processes callers are started.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CallResult } from '../../stage/pod.ts'
import { apply, freshNamespace, kubectl, objectOf, podsReady } from './kubectl.ts'

export type ShopPod = { name: string; uid: string; node: string; address: string }

export type Shop = {
  readonly namespace: string
  /** What startSession takes. */
  readonly target: string
  /** Address of the service, as callers inside of the cluster see it. */
  readonly address: string
  /** Address of the pod that callers are started in: what the shop's pods and the process see. */
  readonly callersAddress: string
  /** Those that are not being deleted. */
  pods(): Promise<ShopPod[]>
  /** hash-server's lines of all pods of the shop, or of one. */
  served(pod?: string): Promise<string[]>
  /** Runs test/programs/hash-callers.mjs to its end among the callers; each caller begins a request every `everyMs` if that is given. */
  call(count: number, atOnce: number, options?: { address?: string; everyMs?: number }): Promise<CallResult>
  end(): Promise<void>
}

export type ShopOptions = {
  replicas?: number
  /** Name of the node that the shop's pods run on; default any. */
  node?: string
  callersNode?: string
  /** Laid over the pod's spec. */
  podSpec?: Record<string, unknown>
  /** Containers beside "shop", which is the first. */
  besides?: readonly object[]
  /** Laid over the container "shop". */
  container?: Record<string, unknown>
}

const image = 'localhost/node:20'
const programs = ['hash-server.mjs', 'hash-callers.mjs']

/** Starts it and waits until all its pods are ready. */
export async function startShop(prefix: string, options: ShopOptions = {}): Promise<Shop> {
  const { name: namespace, remove } = await freshNamespace(prefix)
  const at = { namespace }
  await apply(
    programsOf(namespace),
    deployment(namespace, options),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop', ...at },
      spec: { selector: { app: 'shop' }, ports: [{ port: 8080 }] },
    },
    callers(namespace, options.callersNode),
  )
  await podsReady(namespace, 'app in (shop, callers)')
  const service = await objectOf(['-n', namespace, 'service', 'shop'])
  await kubectl(['-n', namespace, 'exec', 'callers', '--', 'node', '-e', untilServed, service.spec.clusterIP])
  const callersPod = await objectOf(['-n', namespace, 'pod', 'callers'])
  const served = async (pod: string) =>
    (await kubectl(['-n', namespace, 'logs', pod, '-c', 'shop', '--limit-bytes=100000000'])).split('\n')
  const pods = () => shopPods(namespace)
  return {
    namespace,
    pods,
    target: 'deployment/shop',
    address: service.spec.clusterIP,
    callersAddress: callersPod.status.podIP,
    async served(pod) {
      const names = pod === undefined ? (await pods()).map(({ name }) => name) : [pod]
      return (await Promise.all(names.map(served))).flat()
    },
    async call(count, atOnce, { address = service.spec.clusterIP, everyMs = 0 } = {}) {
      const args = [address, 8080, count, atOnce, 1, everyMs].map(String)
      const inside = ['-n', namespace, 'exec', 'callers', '--', 'node', '/programs/hash-callers.mjs', ...args]
      return JSON.parse(await kubectl(inside, { timeoutMs: 120_000 + (count / atOnce) * everyMs }))
    },
    end: remove,
  }
}

/** A service leads to its pods a moment after they are ready, and until then a SYN to it is refused or lost. */
const untilServed = `
const { connect } = require('node:net')
const again = () => setTimeout(attempt, 50)
function attempt() {
  const socket = connect({ host: process.argv[1], port: 8080 }, () => process.exit(0))
  socket.setTimeout(500, () => socket.destroy()).on('error', () => {}).on('close', again)
}
attempt()`

function programsOf(namespace: string): object {
  const data = Object.fromEntries(
    programs.map(name => [name, readFileSync(resolve('test/programs', name), 'utf8')]),
  )
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'programs', namespace }, data }
}

const programVolume = { name: 'programs', configMap: { name: 'programs' } }
const volumeMounts = [{ name: 'programs', mountPath: '/programs' }]

function deployment(namespace: string, options: ShopOptions): object {
  const { replicas = 1, node, podSpec = {}, besides = [], container = {} } = options
  const labels = { app: 'shop' }
  const shop = {
    name: 'shop',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/programs/hash-server.mjs', '8080', '::'],
    env: [{ name: 'SHOP_REGION', value: 'pod' }],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    volumeMounts,
    ...container,
  }
  const spec = {
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
    containers: [shop, ...besides],
    volumes: [programVolume],
    ...podSpec,
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', namespace, labels },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  }
}

/** A pod that does nothing until a caller is started in it. */
function callers(namespace: string, node: string | undefined): object {
  const spec = {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
    containers: [
      {
        ...{ name: 'callers', image, imagePullPolicy: 'IfNotPresent', volumeMounts },
        command: ['node', '-e', 'setInterval(() => {}, 1 << 30)'],
      },
    ],
    volumes: [programVolume],
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'callers', namespace, labels: { app: 'callers' } },
    spec,
  }
}

async function shopPods(namespace: string): Promise<ShopPod[]> {
  const text = await kubectl(['-n', namespace, 'get', 'pods', '-l', 'app=shop', '-o', 'json'])
  const { items } = JSON.parse(text) as { items: RawPod[] }
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      uid: metadata.uid,
      node: spec.nodeName ?? '',
      address: status.podIP ?? '',
    }))
}

type RawPod = {
  metadata: { name: string; uid: string; deletionTimestamp?: string }
  spec: { nodeName?: string }
  status: { podIP?: string }
}

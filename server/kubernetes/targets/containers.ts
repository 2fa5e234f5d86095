// Which container of a pod a session takes, and which ones are no program of the user; pure.
import type { V1Container, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import type { PodFacts } from './pod-state.ts'

/** kubectl's own annotation for the same question; source: Kubernetes, "Well-Known Labels, Annotations and Taints". */
const defaultContainer = 'kubectl.kubernetes.io/default-container'

/** Names that injectors and operators give; mesh ones are told to the user as such. */
// biome-ignore format: a table is read row by row
const sidecars: readonly { name: string; what: string; mesh?: 'istio' | 'linkerd' }[] = [
  { name: 'istio-proxy', what: 'istio', mesh: 'istio' },
  { name: 'linkerd-proxy', what: 'linkerd', mesh: 'linkerd' },
  { name: 'kuma-sidecar', what: 'kuma' },
  { name: 'consul-dataplane', what: 'consul' },
  { name: 'envoy-sidecar', what: 'consul' },
  { name: 'osm-proxy', what: 'open service mesh' },
  { name: 'daprd', what: 'dapr' },
  { name: 'queue-proxy', what: 'knative' },
  { name: 'vault-agent', what: 'vault' },
  { name: 'cloud-sql-proxy', what: 'cloud sql proxy' },
  { name: 'cloudsql-proxy', what: 'cloud sql proxy' },
  { name: 'gke-gcsfuse-sidecar', what: 'gcs fuse' },
  { name: 'aws-otel-collector', what: 'opentelemetry' },
  { name: 'otc-container', what: 'opentelemetry' },
  { name: 'jaeger-agent', what: 'jaeger' },
  { name: 'datadog-agent-injected', what: 'datadog' },
]

/** What a container is when it is no program of the user: "istio". */
export function sidecarOf(container: string): string | undefined {
  return sidecars.find(({ name }) => name === container)?.what
}

/** The mesh whose sidecar stands before the pod. */
export function meshOf(spec: V1Pod['spec']): 'istio' | 'linkerd' | undefined {
  const names = containersOf(spec).map(({ name }) => name)
  return sidecars.find(({ name, mesh }) => mesh !== undefined && names.includes(name))?.mesh
}

/** The containers that run as long as the pod: native sidecars (init containers with restartPolicy Always) come last. */
export function containersOf(spec: V1Pod['spec']): V1Container[] {
  const native = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...(spec?.containers ?? []), ...native]
}

export function statusOf(status: V1Pod['status'], container: string): V1ContainerStatus | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  return all.find(({ name }) => name === container)
}

export type ContainerChoice = { name: string; how: 'named' | 'annotated' | 'only' | 'first' }

/** The one that is named; else the annotated one; else the first that is no known sidecar. Nothing when the named one does not exist. */
export function chooseContainer(
  { metadata, spec }: PodFacts,
  asked: string | undefined,
): ContainerChoice | undefined {
  const all = containersOf(spec).map(({ name }) => name)
  if (asked !== undefined) return all.includes(asked) ? { name: asked, how: 'named' } : undefined
  const annotated = metadata?.annotations?.[defaultContainer]
  if (annotated !== undefined && all.includes(annotated)) return { name: annotated, how: 'annotated' }
  const own = programsOf(spec)
  const [first = all[0]] = own
  return first === undefined ? undefined : { name: first, how: own.length > 1 ? 'first' : 'only' }
}

/** Names of the containers that are no known sidecars and were not injected as native ones. */
export function programsOf(spec: V1Pod['spec']): string[] {
  return (spec?.containers ?? []).map(({ name }) => name).filter(name => sidecarOf(name) === undefined)
}

/** Names of all containers, the one that a session would take first. */
export function containerNames(pod: PodFacts): string[] {
  const all = containersOf(pod.spec).map(({ name }) => name)
  const chosen = chooseContainer(pod, undefined)?.name
  return chosen === undefined ? all : [chosen, ...all.filter(name => name !== chosen)]
}

/** The TCP ports that the user's containers declare, sorted. */
export function declaredPorts(spec: V1Pod['spec']): number[] {
  const declared = containersOf(spec)
    .filter(({ name }) => sidecarOf(name) === undefined)
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ protocol }) => protocol === undefined || protocol === 'TCP')
  return [...new Set(declared.map(({ containerPort }) => containerPort))].sort((a, b) => a - b)
}

// One pod as describeTarget tells it: containers, ports, probes, sidecars; pure.
import type { V1Container, V1Pod, V1Probe } from '@kubernetes/client-node'
import type { Candidate } from './candidates.ts'
import { containersOf, sidecarOf, statusOf } from './containers.ts'
import type { Description } from './description.ts'
import { containerReason, podState } from './pod-state.ts'

type PodDescription = NonNullable<Description['pods']>[number]
type ContainerDescription = PodDescription['containers'][number]
type ProbeDescription = ContainerDescription['probes'][number]

/** `chosen`: what a session would take, of this pod or of another. */
export function describePod(pod: V1Pod, chosen: Candidate | undefined): PodDescription {
  const { ready, reason } = podState(pod)
  const { spec, status, metadata } = pod
  const isChosen = chosen?.pod === pod
  return {
    name: metadata?.name ?? '',
    phase: status?.phase ?? 'Unknown',
    ready,
    chosen: isChosen,
    addresses: (status?.podIPs ?? []).map(({ ip }) => ip),
    containers: containersOf(spec).map(container =>
      describeContainer(pod, container, isChosen && chosen.container.name === container.name),
    ),
    ...(spec?.nodeName === undefined ? {} : { node: spec.nodeName }),
    ...(reason === undefined ? {} : { reason }),
  }
}

function describeContainer(pod: V1Pod, container: V1Container, chosen: boolean): ContainerDescription {
  const { name, image = '', ports } = container
  const status = statusOf(pod.status, name)
  const ready = status?.ready === true
  const sidecar = sidecarOf(name)
  const reason =
    ready || status === undefined || status.state?.running !== undefined ? undefined : containerReason(status)
  return {
    name,
    image,
    ready,
    chosen,
    restarts: status?.restartCount ?? 0,
    ports: (ports ?? []).map(port => ({
      port: port.containerPort,
      protocol: port.protocol ?? 'TCP',
      ...(port.name === undefined ? {} : { name: port.name }),
    })),
    probes: probesOf(container),
    ...(reason === undefined ? {} : { reason }),
    ...(sidecar === undefined ? {} : { sidecar }),
  }
}

export function probesOf(container: V1Container): ProbeDescription[] {
  const { livenessProbe: liveness, readinessProbe: readiness, startupProbe: startup } = container
  return Object.entries({ liveness, readiness, startup }).flatMap(([probe, how]) => {
    const described = how === undefined ? undefined : describeProbe(container, how)
    return described === undefined ? [] : [{ probe: probe as ProbeDescription['probe'], ...described }]
  })
}

function describeProbe(container: V1Container, probe: V1Probe): Omit<ProbeDescription, 'probe'> | undefined {
  const { httpGet, tcpSocket, grpc, exec } = probe
  if (httpGet !== undefined)
    return { by: 'http', ...portOf(container, httpGet.port), path: httpGet.path ?? '/' }
  if (tcpSocket !== undefined) return { by: 'tcp', ...portOf(container, tcpSocket.port) }
  if (grpc !== undefined) return { by: 'grpc', port: grpc.port }
  return exec === undefined ? undefined : { by: 'exec' }
}

/** A port's name stands for the container's port of that name; one that names nothing can't be asked, and is left out. */
function portOf({ ports }: V1Container, port: unknown): { port?: number } {
  if (typeof port === 'number') return { port }
  const named = ports?.find(({ name }) => name === port)?.containerPort
  return named === undefined ? {} : { port: named }
}

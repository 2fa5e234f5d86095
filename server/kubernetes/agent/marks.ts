// The name, labels and annotations by which an agent's objects are known as ours, and which keep meshes away from its pod.
import { randomBytes } from 'node:crypto'
import type { AgentConfig } from '../../../protocol/config.ts'
import { ourLabels } from '../ours.ts'

/** Nothing in a mark names the user, the machine or the target. One agent's own: its Job, its pod and the events of both are found by it. */
export const instanceLabel = 'app.kubernetes.io/instance'

export const agentContainerName = 'standin-agent'

/** 50 random bits: two agents of one name are not to be expected, so that a name can be deleted without knowing its uid. */
export function agentName(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  return `standin-agent-${[...randomBytes(10)].map(byte => letters[byte % letters.length]).join('')}`
}

/**
 * Sidecars would add containers to the agent's pod that outlive it and that stand between it and nothing. Sources: the injection pages of
 * Istio (label since 1.13, annotation before; ambient), Kuma and Kong Mesh (label since 2.0, annotation before), NGINX Service Mesh.
 */
const meshLabels = {
  'sidecar.istio.io/inject': 'false',
  'istio.io/dataplane-mode': 'none',
  'kuma.io/sidecar-injection': 'disabled',
  'injector.nsm.nginx.com/auto-inject': 'false',
} as const

/** Sources as above, and those of Linkerd, Consul, AWS App Mesh, Open Service Mesh, OpenTelemetry's operator. */
const meshAnnotations = {
  'sidecar.istio.io/inject': 'false',
  'linkerd.io/inject': 'disabled',
  'kuma.io/sidecar-injection': 'disabled',
  'consul.hashicorp.com/connect-inject': 'false',
  'appmesh.k8s.aws/sidecarInjectorWebhook': 'disabled',
  'openservicemesh.io/sidecar-injection': 'disabled',
  'sidecar.opentelemetry.io/inject': 'false',
} as const

type Marks = { labels: Record<string, string>; annotations: Record<string, string> }

/** The user's own come first, so that they cannot take away those by which we find and end what is ours. */
export function jobMarks(name: string, config: AgentConfig): Marks {
  return {
    labels: { ...config.labels, ...ourLabels, [instanceLabel]: name },
    annotations: { ...config.annotations },
  }
}

/** The user's own win over a mesh's switch: who writes one there means it. */
export function podMarks(name: string, config: AgentConfig): Marks {
  return {
    labels: { ...meshLabels, ...config.labels, ...ourLabels, [instanceLabel]: name },
    annotations: { ...meshAnnotations, ...config.annotations },
  }
}

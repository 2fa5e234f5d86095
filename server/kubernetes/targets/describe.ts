// Describes a target in a cluster: its pods and containers, and what a session there needs; nothing is made.
import type { AgentConfig } from '../../../protocol/config.ts'
import { Failure } from '../../../protocol/errors.ts'
import type { Api } from '../client/api.ts'
import { type Candidate, candidatesOf, knownContainers } from './candidates.ts'
import { containerNames, declaredPorts, meshOf } from './containers.ts'
import { describePod } from './describe-pod.ts'
import type { Description } from './description.ts'
import { type Located, locateTarget } from './locate.ts'
import { checkNamespaceForm } from './namespace.ts'
import { needsOf } from './needs.ts'
import { parseTarget } from './parse.ts'
import { podState } from './pod-state.ts'
import { workloadState } from './workload-state.ts'

/** Rejects as chooseTarget does, but that a target without a ready pod is described too. */
export async function describeClusterTarget(
  api: Api,
  options: { target: string; namespace: string; agent?: AgentConfig | undefined; signal: AbortSignal },
): Promise<Description> {
  const { signal } = options
  const namespace = checkNamespaceForm(options.namespace)
  const parsed = parseTarget(options.target)
  const located = await locateTarget(api, parsed, { namespace, signal })
  const { pods } = located
  const names = knownContainers(pods)
  if (parsed.container !== undefined && pods.length > 0 && !names.includes(parsed.container))
    throw new Failure('container-not-found', {
      container: parsed.container,
      pod: located.object,
      names: names.map(name => `"${name}"`).join(', '),
    })
  const [chosen] = candidatesOf(pods, parsed.container).candidates
  const needs = await needsOf(api, { located, chosen, namespace, agent: options.agent ?? {}, signal })
  const shown = chosen?.pod ?? pods[0]
  const others = pods.filter(pod => pod !== shown)
  const sidecar = meshOf(shown?.spec)
  return {
    target: summary(located, chosen, namespace),
    hostname: shown?.spec?.hostname ?? shown?.metadata?.name ?? '',
    addresses: (shown?.status?.podIPs ?? []).map(({ ip }) => ip),
    listeners: [],
    ownNetwork: shown?.spec?.hostNetwork !== true,
    needs,
    pods: [...(shown === undefined ? [] : [shown]), ...others].map(pod => describePod(pod, chosen)),
    ...(sidecar === undefined ? {} : { sidecar }),
  }
}

function summary(located: Located, chosen: Candidate | undefined, namespace: string): Description['target'] {
  const { kind, name, written, pods, workload } = located
  const ready = pods.filter(pod => podState(pod).ready).length
  const [first] = pods
  const told = first === undefined ? undefined : `pod ${first.metadata?.name}: ${podState(first).reason}`
  const count = { ready, total: pods.length }
  const state =
    kind === 'pod' && first !== undefined ? podState(first) : workloadState(kind, workload ?? {}, count, told)
  const shape = chosen?.pod ?? first
  return {
    target: written,
    kind,
    name,
    namespace,
    ready: chosen !== undefined,
    ports: declaredPorts(shape?.spec),
    containers: shape === undefined ? [] : containerNames(shape),
    ...(chosen === undefined && state.reason !== undefined ? { reason: state.reason } : {}),
    ...(kind === 'pod' ? {} : { pods: count }),
  }
}

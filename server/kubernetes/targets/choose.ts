// Chooses the pod and container that a session takes.
import type { V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import type { Target } from '../../../protocol/rpc/targets.ts'
import type { Api } from '../client/api.ts'
import {
  type Candidate,
  candidatesOf,
  choiceNotices,
  knownContainers,
  noCandidateReason,
  type Passed,
} from './candidates.ts'
import { containerNames, declaredPorts } from './containers.ts'
import { type Located, locateTarget } from './locate.ts'
import { checkNamespaceForm } from './namespace.ts'
import { type ParsedTarget, parseTarget } from './parse.ts'
import { podState } from './pod-state.ts'
import { workloadState } from './workload-state.ts'

export type Chosen = {
  target: Target
  /** The pods with some labels are meant, whichever they are. */
  byLabels: boolean
  namespace: string
  /** As it was when it was chosen. */
  pod: V1Pod
  /** `id` as the node's runtime knows it, without "containerd://". */
  container: { name: string; id: string }
  notices: string[]
}

/**
 * Rejects with `target-invalid`, `target-not-found`, `target-kind-ambiguous`, `namespace-not-found`, `selector-invalid`, `container-not-found`,
 * `pod-not-ready`, or `cluster-*`.
 */
export async function chooseTarget(
  api: Api,
  { target, namespace, signal }: { target: string; namespace: string; signal: AbortSignal },
): Promise<Chosen> {
  const parsed = parseTarget(target)
  const place = { namespace: checkNamespaceForm(namespace), signal }
  const located = await locateTarget(api, parsed, place)
  const others = candidatesOf(located.pods, parsed.container)
  const [first] = others.candidates
  if (first === undefined) throw noCandidate(located, parsed, others.passed, namespace)
  return {
    target: targetOf(located, first, namespace),
    byLabels: parsed.by === 'label',
    namespace,
    pod: first.pod,
    container: first.container,
    notices: [...located.notices, ...choiceNotices(first, others)],
  }
}

/** Why nothing of it can be taken. */
function noCandidate(
  { written, object, kind, workload, pods }: Located,
  { container }: ParsedTarget,
  passed: readonly Passed[],
  namespace: string,
): Failure {
  const names = knownContainers(pods)
  if (container !== undefined && pods.length > 0 && !names.includes(container))
    return new Failure('container-not-found', {
      container,
      pod: object,
      names: names.map(name => `"${name}"`).join(', '),
    })
  const none =
    workload === undefined
      ? 'it has no pod'
      : (workloadState(kind, workload, { ready: 0, total: 0 }, undefined).reason ?? 'it has no pod')
  return new Failure('pod-not-ready', {
    target: written,
    reason: noCandidateReason(passed, none),
    object: object.replace('/', ' '),
    namespace,
  })
}

function targetOf({ written, kind, name, pods }: Located, { pod }: Candidate, namespace: string): Target {
  const ready = pods.filter(each => podState(each).ready).length
  return {
    target: written,
    kind,
    name,
    ready: true,
    ports: declaredPorts(pod.spec),
    namespace,
    containers: containerNames(pod),
    ...(kind === 'pod' ? {} : { pods: { ready, total: pods.length } }),
  }
}

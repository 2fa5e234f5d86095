// Whether a cluster would admit an agent: found out by dry runs, which make nothing, and where these are not allowed by what the namespace enforces.
import type { V1Namespace } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import { Failure } from '../../../protocol/errors.ts'
import { agentContainer } from '../agent/container.ts'
import { agentJob } from '../agent/job.ts'
import { fieldManager } from '../agent/lease.ts'
import { agentName } from '../agent/marks.ts'
import { refusalFailure, refusalOf } from '../agent/refusal.ts'
import { isGranted } from '../agent/rights.ts'
import { type Api, type ApiRequest, apiPath, StatusError } from '../client/api.ts'
import type { Candidate } from './candidates.ts'
import type { Description } from './description.ts'
import { readNamespace } from './namespace.ts'

type Need = Description['needs'][number]

export type Admission = {
  chosen: Candidate | undefined
  /** There is no target, which is not to say that none was found. */
  targetless?: boolean
  /** The target's. */
  namespace: string
  agent: AgentConfig
  /** Whether the user may make what carries the agent. */
  mayMake: boolean
  signal: AbortSignal
}

/** What a container runs is nothing that admission looks at. */
const command = ['node']

/** First of what would be made, then of the pod that a Job's controller would make of it, which Pod Security judges. */
export async function admissionNeeds(api: Api, of: Admission): Promise<Need[]> {
  const { agent, signal } = of
  const namespace = agent.ephemeral ? of.namespace : (agent.namespace ?? of.namespace)
  const tried = await tryMaking(api, of, namespace)
  const made = tried === undefined ? [] : [tried]
  // The dry run of an ephemeral container went through Pod Security itself.
  if (agent.ephemeral && tried !== undefined && tried.unknown === undefined) return made
  const pod = agent.ephemeral ? undefined : await tryPod(api, of, namespace)
  if (pod !== undefined && pod.unknown === undefined) return [...made, pod]
  if (of.targetless) return [...made, restrictedNeed(of)]
  const found = await readNamespace(api, namespace, signal)
  return [...made, decideSecurity(found, namespace, agent.ephemeral === true)]
}

/** Nothing when the user may not, which is another need, or without a pod to add a container to. */
async function tryMaking(api: Api, of: Admission, namespace: string): Promise<Need | undefined> {
  const { agent, mayMake, chosen, signal } = of
  if (!mayMake) return undefined
  const name = agentName()
  const query = { dryRun: 'All', fieldManager, fieldValidation: 'Strict' }
  if (!agent.ephemeral) {
    const body = jobOf(of, name)
    const asks = { verb: 'create', resource: 'jobs.batch', namespace }
    const path = apiPath('/apis/batch/v1/namespaces', namespace, 'jobs')
    const request: ApiRequest = { method: 'POST', path, query, body, asks, signal }
    return dryRun(api, request, `the agent's Job in namespace "${namespace}"`, of.targetless)
  }
  if (chosen === undefined) return undefined
  const { name: pod = '' } = chosen.pod.metadata ?? {}
  const targetContainerName = chosen.container.name
  const added = { name, targetContainerName, ...agentContainer('ephemeral', command, agent) }
  const path = apiPath('/api/v1/namespaces', namespace, 'pods', pod, 'ephemeralcontainers')
  const body = { spec: { ephemeralContainers: [added] } }
  const asks = { verb: 'patch', resource: 'pods/ephemeralcontainers', namespace }
  return dryRun(
    api,
    { method: 'PATCH', path, query, body, asks, signal },
    `the agent's container in pod ${pod}`,
  )
}

function jobOf({ agent, chosen, targetless }: Admission, name: string) {
  const node = targetless ? undefined : (chosen?.pod.spec?.nodeName ?? '')
  return agentJob({ name, node, command, config: agent })
}

/** Few may create pods themselves. Nothing for the others. */
async function tryPod(api: Api, of: Admission, namespace: string): Promise<Need | undefined> {
  const right = { verb: 'create', group: '', resource: 'pods', namespace }
  if ((await isGranted(api, right, of.signal)) !== true) return undefined
  const name = agentName()
  const { metadata, spec } = jobOf(of, name).spec!.template
  const request: ApiRequest = {
    method: 'POST',
    path: apiPath('/api/v1/namespaces', namespace, 'pods'),
    query: { dryRun: 'All', fieldManager },
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name }, spec },
    asks: { verb: 'create', resource: 'pods', namespace },
    signal: of.signal,
  }
  const subject = `Pod Security and admission of the agent's pod in namespace "${namespace}"`
  return dryRun(api, request, subject, of.targetless)
}

async function dryRun(api: Api, request: ApiRequest, subject: string, targetless = false): Promise<Need> {
  const what = request.asks.resource === 'pods' ? subject : `admission of ${subject}`
  try {
    await api.request(request)
    return { what, granted: true }
  } catch (thrown) {
    request.signal.throwIfAborted()
    return decideRefusal(thrown, what, { ...request, targetless })
  }
}

/** A webhook that can make no dry run, or a cluster that fails, says nothing of what it would say to the real thing. */
export function decideRefusal(
  thrown: unknown,
  what: string,
  { asks, targetless = false }: Pick<ApiRequest, 'asks'> & { targetless?: boolean },
): Need {
  const text = wordsOf(thrown)
  if (!(thrown instanceof StatusError) || /does not support dry run|failed calling webhook/.test(text))
    return { what, granted: false, unknown: `a dry run failed: ${text}` }
  const ephemeral = asks.resource === 'pods/ephemeralcontainers'
  const refused = { namespace: asks.namespace ?? '', ephemeral, targetless }
  const { message, data } = refusalFailure(refusalOf(thrown.message, refused), refused)
  return { what, granted: false, fix: `${message}. ${data.fix}` }
}

function wordsOf(thrown: unknown): string {
  if (thrown instanceof Failure && thrown.kind === 'cluster-failed') return String(thrown.values.reason)
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The strictest level admits such an agent, unless the user makes another one of it. */
function restrictedNeed({ namespace, agent }: Admission): Need {
  const what = `Pod Security level "restricted" in namespace "${namespace}"`
  if (agent.security_context === undefined) return { what, granted: true }
  const unknown = 'agent.security_context may ask for more, and you may not make a dry run of its pod'
  return { what, granted: false, unknown }
}

/** Source: Kubernetes, "Pod Security Standards": both levels but "privileged" forbid hostPID and capabilities beyond a short list. */
export function decideSecurity(found: V1Namespace | undefined, namespace: string, ephemeral: boolean): Need {
  const what = `Pod Security level "privileged" in namespace "${namespace}"`
  if (found === undefined)
    return {
      what,
      granted: false,
      unknown: `you may not read namespace "${namespace}", nor make a dry run of its pods`,
    }
  const level = found.metadata?.labels?.['pod-security.kubernetes.io/enforce'] ?? 'privileged'
  if (level === 'privileged') return { what, granted: true }
  return {
    what,
    granted: false,
    fix: ephemeral
      ? `The namespace enforces "${level}"; ask whoever runs the cluster for a namespace label pod-security.kubernetes.io/enforce=privileged`
      : `The namespace enforces "${level}"; set agent.namespace to one that enforces nothing`,
  }
}

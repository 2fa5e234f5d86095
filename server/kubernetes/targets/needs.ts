// What a session at a target needs, and whether the user has it: permissions by SelfSubjectAccessReview, and what the namespace and the node allow.
import type { V1Node } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import { agentRights, isGranted, type Right, rightName } from '../agent/rights.ts'
import { unsupported } from '../agent/supported.ts'
import { type Api, apiPath } from '../client/api.ts'
import { admissionNeeds } from './admission.ts'
import type { Candidate } from './candidates.ts'
import type { Description } from './description.ts'
import { rowOf } from './kinds.ts'
import type { Located } from './locate.ts'

type Need = Description['needs'][number]

export async function needsOf(
  api: Api,
  options: {
    located: Located
    chosen: Candidate | undefined
    namespace: string
    agent: AgentConfig
    signal: AbortSignal
  },
): Promise<Need[]> {
  const { located, chosen, namespace, agent, signal } = options
  const rights = [...agentRights(agent, namespace), ...kindRights(located, namespace)]
  const [permissions, node] = await Promise.all([
    permissionNeeds(api, rights, signal),
    chosen === undefined ? undefined : nodeNeed(api, chosen, signal),
  ])
  const mayMake = permissions[0]?.granted === true
  const admission = await admissionNeeds(api, { chosen, namespace, agent, mayMake, signal })
  return [...permissions, ...admission, ...(node === undefined ? [] : [node])]
}

/** Without a target. */
export async function targetlessNeeds(
  api: Api,
  { namespace, agent, signal }: { namespace: string; agent: AgentConfig; signal: AbortSignal },
): Promise<Need[]> {
  const permissions = await permissionNeeds(api, agentRights(agent, namespace), signal)
  const mayMake = permissions[0]?.granted === true
  const question = { chosen: undefined, targetless: true, namespace, agent, mayMake, signal }
  return [...permissions, ...(await admissionNeeds(api, question))]
}

async function permissionNeeds(api: Api, rights: readonly Right[], signal: AbortSignal): Promise<Need[]> {
  const granted = await Promise.all(rights.map(right => isGranted(api, right, signal)))
  return rights.map((right, index) => permissionNeed(right, granted[index]))
}

/** Reading the target itself; labels name none. */
function kindRights({ kind, workload }: Located, namespace: string): Right[] {
  if (workload === undefined) return []
  const { group, resource } = rowOf(kind)
  return [{ verb: 'get', group, resource, namespace }]
}

export function permissionNeed(right: Right, granted: boolean | undefined): Need {
  const what = `${right.verb} ${rightName(right)} in namespace "${right.namespace}"`
  if (granted === undefined)
    return {
      what,
      granted: false,
      unknown: 'the cluster does not say what you may do (SelfSubjectAccessReview)',
    }
  if (granted) return { what, granted: true }
  return {
    what,
    granted: false,
    fix: `Ask for a Role with verb "${right.verb}" on "${rightName(right)}" in namespace "${right.namespace}" (README "Permissions")`,
  }
}

async function nodeNeed(api: Api, { pod }: Candidate, signal: AbortSignal): Promise<Need> {
  const name = pod.spec?.nodeName ?? ''
  const node = await api
    .request<V1Node>({
      path: apiPath('/api/v1/nodes', name),
      asks: { verb: 'get', resource: 'nodes' },
      signal,
      timeoutMs: 3_000,
    })
    .catch(() => {
      signal.throwIfAborted()
      return undefined
    })
  const what = `an ordinary Linux node under pod ${pod.metadata?.name} (node "${name}")`
  const failure = unsupported(pod, node)
  if (failure === undefined) return { what, granted: true }
  return { what, granted: false, fix: `${failure.message}. ${failure.data.fix}` }
}

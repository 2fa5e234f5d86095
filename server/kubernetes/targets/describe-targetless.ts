// Describes what a session without a target needs in a namespace; nothing is made.
import type { AgentConfig } from '../../../protocol/config.ts'
import type { Api } from '../client/api.ts'
import type { Description } from './description.ts'
import { checkNamespaceForm, readNamespace } from './namespace.ts'
import { targetlessNeeds } from './needs.ts'
import { targetlessTarget } from './targetless-target.ts'

/** Rejects with `namespace-not-found` or `cluster-*`. */
export async function describeTargetless(
  api: Api,
  options: { namespace: string; agent?: AgentConfig | undefined; signal: AbortSignal },
): Promise<Description> {
  const { agent = {}, signal } = options
  const namespace = checkNamespaceForm(options.namespace)
  await readNamespace(api, namespace, signal)
  return {
    target: targetlessTarget(namespace),
    ...{ hostname: '', addresses: [], listeners: [], ownNetwork: true, pods: [] },
    needs: await targetlessNeeds(api, { namespace, agent, signal }),
  }
}

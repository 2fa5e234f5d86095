// One cluster as one user of it: what the rest of the Kubernetes room asks.
import type { ClusterChoice } from '../cluster.ts'
import type { Api, ApiRequest } from './api.ts'
import { createConversation } from './conversation.ts'
import { dialWebSocket } from './dial.ts'
import { chooseAccess } from './kubeconfig.ts'
import { listPages } from './pages.ts'
import type { Voice } from './voice.ts'
import { watchEvents } from './watch.ts'

/** Asks nobody yet. Fails with `kubeconfig-missing`, `kubeconfig-invalid`, `context-not-found` or `credentials-failed`. */
export async function openApi(
  choice: ClusterChoice,
  options: Voice & { env?: NodeJS.ProcessEnv; connectTimeoutMs?: number },
): Promise<Api> {
  const env = options.env ?? process.env
  const access = chooseAccess(choice, env)
  const conversation = createConversation(access, { ...options, env })
  const ask = <T>(request: ApiRequest) => conversation.ask<T>(request)
  return {
    context: access.context,
    namespace: access.namespace,
    server: conversation.server.href.replace(/\/$/, ''),
    request: ask,
    stream: request => conversation.open(request),
    async *pages<T>(request: ApiRequest & { pageSize?: number }) {
      for await (const page of listPages<T>(ask, request)) yield page.items
    },
    watch: request => watchEvents(conversation, request, options.log),
    dial: request => dialWebSocket(conversation, request),
    close: () => conversation.close(),
  }
}

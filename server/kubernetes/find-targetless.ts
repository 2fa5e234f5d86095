// Finds the namespace that a session without a target has the network of, and brings an agent there.
import type { SessionConfig } from '../../protocol/config.ts'
import type { Log } from '../log.ts'
import type { Found, OnStep, Tell } from '../targets/found.ts'
import { startupTimeoutSeconds } from './agent/job.ts'
import { startTargetlessAgent } from './agent/start.ts'
import { openApi } from './client/open.ts'
import { Lent } from './lent.ts'
import { checkNamespaceForm, readNamespace } from './targets/namespace.ts'
import { targetlessTarget } from './targets/targetless-target.ts'

/** `onStep` is called as long as the credentials of the cluster are asked for. */
type Question = { config: SessionConfig; signal: AbortSignal; log: Log; tell: Tell; onStep: OnStep }

/** Rejects with `cluster-*` or `namespace-not-found`. */
export function findTargetless(question: Question): Promise<Found> {
  return look(question, question.signal)
}

/** Another connection for each agent: credentials are read again, and what one agent began ends with it. */
async function look(question: Question, signal: AbortSignal): Promise<Found> {
  const { config, ...voice } = question
  const api = await openApi({ kubeconfig: config.kubeconfig, context: config.kube_context }, voice)
  try {
    const { target, agent = {} } = config
    const asked = typeof target === 'object' ? target.namespace : undefined
    const namespace = checkNamespaceForm(asked ?? api.namespace)
    await readNamespace(api, namespace, signal)
    const lent = new Lent(api, signal)
    return {
      target: targetlessTarget(namespace),
      where: `namespace ${namespace}`,
      notices: [],
      startupSeconds: startupTimeoutSeconds(agent),
      lives: 'again',
      startAgent: options => lent.start(each => startTargetlessAgent(each, namespace, agent, options)),
      again: each => look(question, each),
    }
  } catch (thrown) {
    api.close()
    throw thrown
  }
}

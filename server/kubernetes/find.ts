// Finds a target in a cluster, chooses its pod and container, and brings an agent to it.
import type { V1Node, V1Pod } from '@kubernetes/client-node'
import type { SessionConfig } from '../../protocol/config.ts'
import { Failure } from '../../protocol/errors.ts'
import type { Log } from '../log.ts'
import type { Agent, AgentOptions, Found, OnStep, Tell } from '../targets/found.ts'
import { startupTimeoutSeconds } from './agent/job.ts'
import { startClusterAgent } from './agent/start.ts'
import { placeNotices, unsupported } from './agent/supported.ts'
import { type Api, apiPath } from './client/api.ts'
import { openApi } from './client/open.ts'
import { Lent } from './lent.ts'
import { runtimeId } from './targets/candidates.ts'
import { type Chosen, chooseTarget } from './targets/choose.ts'
import { statusOf } from './targets/containers.ts'

/** `onStep` is called as long as the credentials of the cluster are asked for. */
type Question = { config: SessionConfig; signal: AbortSignal; log: Log; tell: Tell; onStep: OnStep }

/** Rejects with `cluster-*`, `target-*`, `namespace-not-found`, `container-not-found`, `pod-not-ready`, `pod-unsupported`. */
export function findInCluster(target: string, question: Question): Promise<Found> {
  return new Search(target, question).first()
}

class Search {
  readonly #target: string
  readonly #question: Question
  /** Runtime classes whose processes an agent has seen: where it sees none later, they have ended. */
  readonly #visible = new Set<string | undefined>()

  constructor(target: string, question: Question) {
    this.#target = target
    this.#question = question
  }

  first(): Promise<Found> {
    return this.#with(this.#question.signal, (api, signal) => this.#choose(api, signal))
  }

  /** Another connection for each agent: credentials are read again, and what one agent began ends with it. */
  async #with(
    signal: AbortSignal,
    choose: (api: Api, signal: AbortSignal) => Promise<Chosen>,
  ): Promise<Found> {
    const { config, ...voice } = this.#question
    const api = await openApi({ kubeconfig: config.kubeconfig, context: config.kube_context }, voice)
    try {
      const chosen = await choose(api, signal)
      const failure = unsupported(chosen.pod, await nodeOf(api, chosen.pod, signal))
      if (failure !== undefined) throw failure
      return this.#found(new Lent(api, signal), chosen)
    } catch (thrown) {
      api.close()
      throw thrown
    }
  }

  #choose(api: Api, signal: AbortSignal): Promise<Chosen> {
    const { target } = this.#question.config
    const namespace = (typeof target === 'object' ? target.namespace : undefined) ?? api.namespace
    return chooseTarget(api, { target: this.#target, namespace, signal })
  }

  #found(lent: Lent, chosen: Chosen): Found {
    const { config } = this.#question
    const name = chosen.pod.metadata?.name ?? ''
    return {
      target: chosen.target,
      where: `pod ${name} (container ${chosen.container.name})`,
      notices: [...chosen.notices, ...placeNotices(chosen.pod)],
      startupSeconds: startupTimeoutSeconds(config.agent ?? {}),
      lives: 'again',
      startAgent: options => lent.start(api => this.#start(api, chosen, options)),
      again: signal => this.#with(signal, (api, each) => this.#again(api, chosen, each)),
    }
  }

  async #start(api: Api, chosen: Chosen, options: AgentOptions): Promise<Agent> {
    const runtime = chosen.pod.spec?.runtimeClassName
    try {
      const agent = await startClusterAgent(api, chosen, this.#question.config.agent, options)
      this.#visible.add(runtime)
      return agent
    } catch (thrown) {
      throw this.#visible.has(runtime) ? unhidden(thrown) : thrown
    }
  }

  /** The same pod as long as its container runs, for what the session holds of it stays true; else any other of the target. */
  async #again(api: Api, before: Chosen, signal: AbortSignal): Promise<Chosen> {
    const pod = await podAgain(api, before, signal)
    const same = pod === undefined ? undefined : stillThere(pod, before)
    if (same !== undefined) return same
    if (isOver(pod, before)) throw new Failure('target-ended', { target: this.#target })
    try {
      return await this.#choose(api, signal)
    } catch (thrown) {
      throw thrown instanceof Failure && thrown.kind === 'target-not-found' ? absence(before, thrown) : thrown
    }
  }
}

/** What the failure would be if the runtime class did not hide processes. */
export function unhidden(thrown: unknown): unknown {
  const hides =
    thrown instanceof Failure && thrown.kind === 'pod-unsupported' && thrown.cause instanceof Failure
  return hides ? thrown.cause : thrown
}

/** What it means that nothing of a target that was there is found: some targets come back by themselves. */
export function absence({ target, byLabels, namespace, pod }: Chosen, cause: Failure): Failure {
  const { target: name } = target
  const later = (reason: string, object: string) =>
    new Failure('pod-not-ready', { target: name, reason, object, namespace }, { cause })
  // As for a deployment that has no pod for a while: what makes them is not known.
  if (byLabels) return later('no pod has these labels', `pods -l ${target.name}`)
  const owner = pod.metadata?.ownerReferences?.find(each => each.controller === true)
  if (target.kind === 'pod' && owner?.kind === 'StatefulSet')
    return later('its StatefulSet has not made it again', `statefulset/${owner.name}`)
  return new Failure('target-gone', { target: name }, { cause })
}

/** Nothing where the user may not read nodes, or does not in time: then the pod alone is judged. */
async function nodeOf(api: Api, pod: V1Pod, signal: AbortSignal): Promise<V1Node | undefined> {
  const asked = api.request<V1Node>({
    path: apiPath('/api/v1/nodes', pod.spec?.nodeName ?? ''),
    asks: { verb: 'get', resource: 'nodes' },
    signal,
    timeoutMs: nodeTimeoutMs,
  })
  return asked.catch(() => {
    signal.throwIfAborted()
    return undefined
  })
}

const nodeTimeoutMs = 3_000

/** The pod of that name as it is. */
async function podAgain(
  api: Api,
  { namespace, pod }: Chosen,
  signal: AbortSignal,
): Promise<V1Pod | undefined> {
  const { items } = await api.request<{ items: V1Pod[] }>({
    path: apiPath('/api/v1/namespaces', namespace, 'pods'),
    query: { fieldSelector: `metadata.name=${pod.metadata?.name}` },
    asks: { verb: 'list', resource: 'pods', namespace },
    signal,
  })
  return items[0]
}

/** The same pod with the container that runs in it, which another id tells from the one before if it was restarted. */
export function stillThere(pod: V1Pod, before: Chosen): Chosen | undefined {
  const { name } = before.container
  const status = statusOf(pod.status, name)
  const id = runtimeId(status?.containerID)
  const runs = status?.state?.running !== undefined && !pod.metadata?.deletionTimestamp
  if (!runs || id === undefined || pod.metadata?.uid !== before.pod.metadata?.uid) return undefined
  return { ...before, pod, container: { name, id }, notices: [] }
}

/** The pod that was named has ended for good, or the Job's work is done: no other will come. */
export function isOver(pod: V1Pod | undefined, { target, byLabels }: Chosen): boolean {
  if (byLabels) return false
  const phase = pod?.status?.phase
  if (target.kind === 'pod') return phase === 'Succeeded' || phase === 'Failed'
  return target.kind === 'job' && phase === 'Succeeded'
}

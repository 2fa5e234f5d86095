// Notices that the target's pod or container goes away while an agent is on its way to it.
import type { V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import type { Log } from '../../log.ts'
import { type Api, apiPath } from '../client/api.ts'
import { runtimeId } from '../targets/candidates.ts'
import { statusOf } from '../targets/containers.ts'

/** The pod and container that an agent is brought to; `id` as the runtime knows it, without "containerd://". */
export type Place = { namespace: string; pod: V1Pod; container: { name: string; id: string } }

export class TargetWatch {
  #lost: string | undefined
  readonly #place: Place
  readonly #life = new AbortController()
  readonly #onLost: () => void

  constructor(api: Api, place: Place, options: { log: Log; onLost(): void }) {
    this.#place = place
    this.#onLost = options.onLost
    this.#watch(api).catch(thrown => {
      if (!this.#life.signal.aborted)
        options.log.write('warning', `the watch of the target ended: ${String(thrown)}`)
    })
  }

  /** `pod-ended` once the pod is going, or the container is another. */
  get failure(): Failure | undefined {
    return this.#lost === undefined ? undefined : podEnded(this.#place, this.#lost)
  }

  close(): void {
    this.#life.abort()
  }

  async #watch(api: Api): Promise<void> {
    const { namespace, pod } = this.#place
    const events = api.watch<V1Pod>({
      path: apiPath('/api/v1/namespaces', namespace, 'pods'),
      query: { fieldSelector: `metadata.name=${pod.metadata?.name}` },
      asks: { verb: 'watch', resource: 'pods', namespace },
      signal: this.#life.signal,
    })
    for await (const { type, object } of events) {
      if (type === 'BOOKMARK') continue
      this.#lost = type === 'DELETED' ? 'was deleted' : lossOf(object, this.#place)
      if (this.#lost !== undefined) return this.#onLost()
    }
  }
}

/** What has happened to the pod by what the cluster says at this moment, which a watch may be late to tell; nothing when it does not answer. */
export async function lossNow(api: Api, place: Place, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, pod } = place
  try {
    const { items } = await api.request<{ items: V1Pod[] }>({
      path: apiPath('/api/v1/namespaces', namespace, 'pods'),
      query: { fieldSelector: `metadata.name=${pod.metadata?.name}` },
      asks: { verb: 'list', resource: 'pods', namespace },
      signal,
    })
    const [found] = items
    return found === undefined ? 'was deleted' : lossOf(found, place)
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

export function podEnded({ pod }: Place, what: string): Failure {
  return new Failure('pod-ended', { pod: pod.metadata?.name ?? '', what })
}

/** What happened to a pod since it was chosen, if it is no longer what was chosen. */
export function lossOf(pod: V1Pod, { pod: chosen, container }: Place): string | undefined {
  if (pod.metadata?.uid !== chosen.metadata?.uid) return 'was replaced by another of its name'
  if (pod.metadata?.deletionTimestamp) return 'was deleted'
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return 'ended'
  const status = statusOf(pod.status, container.name)
  if (status?.state?.running === undefined) return `ended its container "${container.name}"`
  return runtimeId(status.containerID) === container.id
    ? undefined
    : `restarted its container "${container.name}"`
}

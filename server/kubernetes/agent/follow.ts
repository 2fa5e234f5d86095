// Follows an agent's pod and what is told of it by watches, from before it is made until it is gone.
import type { CoreV1Event, V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import type { Log } from '../../log.ts'
import { type Api, apiPath } from '../client/api.ts'
import { howEnded } from './explain-end.ts'
import { ownEvents } from './own-events.ts'
import type { Sight } from './sight.ts'

/** A watch that fails as a whole (the credentials expired, the permission was taken away) is tried again after this. */
const againMs = 5_000

export type Followed = {
  namespace: string
  /** Field or label selector of the one pod. */
  selector: { fieldSelector: string } | { labelSelector: string }
  /** The agent's container in the pod. */
  container: string
  /** Name of the Job, whose events tell why there is no pod. */
  job?: string | undefined
}

export class Follow {
  readonly #api: Api
  readonly #followed: Followed
  readonly #log: Log
  readonly #life = new AbortController()
  /** Ends the watches of events, which are of use only while the agent starts. */
  readonly #starting = new AbortController()
  readonly #events = new Map<string, CoreV1Event>()
  readonly #waiting = new Set<() => void>()
  #pod: V1Pod | undefined
  #sinceMs: number | undefined
  #failure: unknown
  #goneReason: string | undefined
  #resolveGone: (reason: string) => void = () => {}
  /** Why the agent cannot be there any more. That the API server cannot be reached says nothing of it. Never rejects. */
  readonly gone = new Promise<string>(resolve => {
    this.#resolveGone = resolve
  })

  constructor(api: Api, followed: Followed, log: Log) {
    this.#api = api
    this.#followed = followed
    this.#log = log
    void this.#keep(() => this.#watchPod(), this.#life.signal)
    if (followed.job !== undefined) this.#watchEvents(`involvedObject.name=${followed.job}`)
  }

  get sight(): Sight {
    const { job, container } = this.#followed
    const all = [...this.#events.values()]
    // The pod of a Job is the agent's alone.
    const events = job === undefined ? ownEvents(all, { container, sinceMs: this.#sinceMs }) : all
    return { pod: this.#pod, container: this.#container, events }
  }

  /** When the container was added to a pod that lived before, by the cluster's clock. */
  since(ms: number | undefined): void {
    this.#sinceMs = ms
  }

  /** What ended a watch while the agent starts: a permission that is missing. */
  get failure(): unknown {
    return this.#failure
  }

  /** What `gone` resolved with, if it did. */
  get goneReason(): string | undefined {
    return this.#goneReason
  }

  /** Resolves when something has changed, or after `timeoutMs`. */
  changed(timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      this.#waiting.add(done)
    })
  }

  /** The agent runs: what happens to it from here on is told by `gone` alone. */
  started(): void {
    this.#starting.abort()
  }

  close(): void {
    this.#starting.abort()
    this.#life.abort()
    this.wake()
  }

  get #container(): V1ContainerStatus | undefined {
    const { containerStatuses = [], ephemeralContainerStatuses = [] } = this.#pod?.status ?? {}
    return [...containerStatuses, ...ephemeralContainerStatuses].find(
      ({ name }) => name === this.#followed.container,
    )
  }

  async #watchPod(): Promise<void> {
    const { namespace, selector } = this.#followed
    const events = this.#api.watch<V1Pod>({
      path: apiPath('/api/v1/namespaces', namespace, 'pods'),
      query: selector,
      asks: { verb: 'watch', resource: 'pods', namespace },
      signal: this.#life.signal,
    })
    for await (const { type, object } of events) {
      if (type === 'BOOKMARK') continue
      if (type === 'DELETED') this.#tellGone('its pod was deleted')
      else this.#see(object)
      this.wake()
    }
  }

  #see(pod: V1Pod): void {
    const first = this.#pod === undefined
    this.#pod = pod
    const uid = pod.metadata?.uid
    if (first && uid !== undefined) this.#watchEvents(`involvedObject.uid=${uid}`)
    const ended = this.#container?.state?.terminated
    if (ended !== undefined) this.#tellGone(`it ended with ${howEnded(ended)}`)
    // The pod of a Job is the agent's alone: once it is deleted, the node ends it.
    if (this.#followed.job === undefined) return
    if (pod.metadata?.deletionTimestamp) this.#tellGone('its pod was deleted')
    const { phase, reason } = pod.status ?? {}
    if (phase === 'Failed' || phase === 'Succeeded') this.#tellGone(`its pod ended (${reason ?? phase})`)
  }

  #tellGone(reason: string): void {
    this.#goneReason ??= reason
    this.#resolveGone(reason)
  }

  #watchEvents(fieldSelector: string): void {
    const { namespace } = this.#followed
    const { signal } = this.#starting
    if (signal.aborted) return
    const watch = async () => {
      const events = this.#api.watch<CoreV1Event>({
        path: apiPath('/api/v1/namespaces', namespace, 'events'),
        query: { fieldSelector },
        asks: { verb: 'watch', resource: 'events', namespace },
        signal,
      })
      for await (const { type, object } of events) {
        if (type === 'BOOKMARK' || type === 'DELETED') continue
        this.#events.delete(object.metadata?.uid ?? '')
        this.#events.set(object.metadata?.uid ?? '', object)
        this.wake()
      }
    }
    void this.#keep(watch, signal)
  }

  /** Runs a watch until the signal ends it, whatever happens to it. */
  async #keep(watch: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await watch()
      } catch (thrown) {
        if (signal.aborted) return
        this.#failure = thrown
        this.#log.write('warning', `a watch of the agent ended: ${String(thrown)}`)
      }
      this.wake()
      await pause(againMs, signal)
    }
  }

  /** Wakes who waits. */
  wake(): void {
    for (const done of [...this.#waiting]) done()
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}

// An agent as a Job, on the target's node if there is a target: made, watched, its lease extended, and deleted.
import { uptime } from 'node:os'
import type { V1Job } from '@kubernetes/client-node'
import type { AgentConfig } from '../../../protocol/config.ts'
import { asFailure, Failure } from '../../../protocol/errors.ts'
import { orAborted } from '../../deadline.ts'
import type { Agent, AgentOptions } from '../../targets/found.ts'
import { Narrator } from '../../targets/narrate.ts'
import { portForward } from '../channel/port-forward.ts'
import { type Api, apiPath, StatusError } from '../client/api.ts'
import { awaitRunning, type Running } from './await-running.ts'
import { bringAgent } from './bring.ts'
import { bootstrapCommand } from './bundle.ts'
import { imageOf } from './container.ts'
import { Follow } from './follow.ts'
import { agentJob, jobPort, startupTimeoutSeconds, waitSeconds } from './job.ts'
import { isKept, keptSeconds, keptText } from './keep.ts'
import { fieldManager, isJobGone, Lease } from './lease.ts'
import { agentContainerName, agentName, instanceLabel } from './marks.ts'
import { refusalFailure, refusalOf, refusalText } from './refusal.ts'
import { removeJob } from './remove.ts'
import { agentRights, demandRights } from './rights.ts'
import { type Place, TargetWatch } from './target-watch.ts'

/** Where an agent is brought: to a container of a pod, or no further than to a pod of its own in the namespace. */
export type Ground = { namespace: string; place?: Place }

export async function startJob(
  api: Api,
  ground: Ground,
  config: AgentConfig,
  options: AgentOptions,
): Promise<Agent> {
  const starting = new JobStart(api, ground, config, options)
  try {
    return await starting.run()
  } catch (thrown) {
    await starting.undo('failed')
    throw options.signal.aborted ? options.signal.reason : thrown
  }
}

class JobStart {
  readonly #name = agentName()
  readonly #namespace: string
  readonly #follow: Follow
  readonly #target: TargetWatch | undefined
  #created: Promise<V1Job> | undefined
  #lease: Lease | undefined
  #undone: Promise<void> | undefined

  constructor(
    readonly api: Api,
    readonly ground: Ground,
    readonly config: AgentConfig,
    readonly options: AgentOptions,
  ) {
    const { log } = options
    const { namespace, place } = ground
    this.#namespace = config.namespace ?? namespace
    const selector = { labelSelector: `${instanceLabel}=${this.#name}` }
    const followed = { namespace: this.#namespace, selector, container: agentContainerName, job: this.#name }
    this.#follow = new Follow(api, followed, log)
    const watch = { log, onLost: () => this.#follow.wake() }
    this.#target = place === undefined ? undefined : new TargetWatch(api, place, watch)
  }

  /** Of the target. */
  get #node(): string | undefined {
    const { place } = this.ground
    return place === undefined ? undefined : (place.pod.spec?.nodeName ?? '')
  }

  async run(): Promise<Agent> {
    const { api, ground, config, options } = this
    const { signal } = options
    const narrator = new Narrator(options.onStep)
    narrator.tell('job', `creating Job ${this.#name} in namespace ${this.#namespace}`)
    const beganMs = performance.now()
    await demandRights(api, agentRights(config, ground.namespace), signal)
    const job = await orAborted(this.#create(), signal)
    const running = this.#running(narrator, beganMs, job)
    await awaitRunning(running)
    const pod = this.#follow.sight.pod?.metadata?.name ?? ''
    const address = { namespace: this.#namespace, pod, port: jobPort }
    await bringAgent({ api, address, place: ground.place, options, running, ephemeral: false })
    this.#follow.started()
    this.#target?.close()
    return {
      dial: dialSignal => portForward(api, { ...address, signal: dialSignal }),
      gone: this.#follow.gone,
      mustBeAsked: keptSeconds(config) > 0,
      end: () => this.undo('ended'),
    }
  }

  #running(narrator: Narrator, beganMs: number, job: V1Job): Running {
    const timeoutSeconds = startupTimeoutSeconds(this.config)
    return {
      follow: this.#follow,
      about: {
        namespace: this.#namespace,
        node: this.#node ?? '',
        targetless: this.ground.place === undefined,
        image: imageOf(this.config),
        ephemeral: false,
        selects: this.config.node_selector !== undefined,
      },
      narrator,
      timeoutSeconds,
      deadlineMs: beganMs + timeoutSeconds * 1_000,
      signal: this.options.signal,
      hindrance: () => this.#target?.failure,
      checkJob: throttled(jobCheckMs, () => this.#checkJob(job)),
    }
  }

  /** Made with a life of its own: a request that is cut off may still be carried out, and then there is no uid to delete it by. */
  #create(): Promise<V1Job> {
    this.options.signal.throwIfAborted()
    this.#created = this.#request()
    // Awaited again by undo.
    this.#created.catch(() => {})
    return this.#created
  }

  async #request(): Promise<V1Job> {
    const atUptime = uptime()
    const { publicKey, log } = this.options
    const command = await bootstrapCommand({ publicKey, port: jobPort, waitSeconds })
    const namespace = this.#namespace
    try {
      const job = await this.api.request<V1Job>({
        method: 'POST',
        path: apiPath('/apis/batch/v1/namespaces', namespace, 'jobs'),
        // A key of security_context that Kubernetes does not know is an error, where it would be dropped otherwise.
        query: { fieldManager, fieldValidation: 'Strict' },
        body: agentJob({ name: this.#name, node: this.#node, command, config: this.config }),
        asks: { verb: 'create', resource: 'jobs.batch', namespace },
        signal: new AbortController().signal,
        timeoutMs: createTimeoutMs,
      })
      const identity = { namespace, name: this.#name, uid: job.metadata?.uid }
      this.#lease = new Lease(this.api, identity, log, { seconds: 0, atUptime }, this.options.leaseTiming)
      return job
    } catch (thrown) {
      throw createFailure(thrown, namespace, { targetless: this.ground.place === undefined })
    }
  }

  /** The Job may be deleted before it has a pod, of which no watch would tell. */
  async #checkJob(job: V1Job): Promise<void> {
    try {
      await this.#lease?.renew()
    } catch (thrown) {
      if (!isJobGone(thrown)) return
      const what = `Job "${job.metadata?.name}"`
      throw new Failure('agent-removed', { what, namespace: this.#namespace }, { cause: thrown })
    }
  }

  /** Ends everything that was begun. */
  undo(how: 'failed' | 'ended'): Promise<void> {
    this.#undone ??= this.#undo(how)
    return this.#undone
  }

  /** The Job last, when it is known whether there is one. */
  async #undo(how: 'failed' | 'ended'): Promise<void> {
    const { state } = this.#follow.sight.container ?? {}
    const { config, options } = this
    this.#follow.close()
    this.#target?.close()
    if (this.#created === undefined) return
    const created = await this.#created.then(
      job => job,
      thrown => asFailure(thrown, 'create jobs.batch'),
    )
    this.#lease?.end()
    if (created instanceof Failure && wasNotCreated(created)) return
    const uid = created instanceof Failure ? undefined : created.metadata?.uid
    const job = { namespace: this.#namespace, name: this.#name, uid }
    const cancelled = how === 'failed' && options.signal.aborted
    if (isKept({ seconds: keptSeconds(config), state, cancelled }))
      options.tell('info', keptText(job, keptSeconds(config)))
    else await removeJob(this.api, job, options)
  }
}

const createTimeoutMs = 15_000
const jobCheckMs = 5_000

/** What it means that the Job could not be made. */
export function createFailure(
  thrown: unknown,
  namespace: string,
  { targetless = false }: { targetless?: boolean } = {},
): unknown {
  const refused = { namespace, ephemeral: false, targetless }
  if (thrown instanceof StatusError && thrown.status === 404)
    return new Failure('namespace-not-found', { namespace }, { cause: thrown })
  const text = refusalText(thrown)
  return text === undefined ? thrown : refusalFailure(refusalOf(text, refused), refused, thrown)
}

/** The API server said no; any other failure leaves open what became of the request. */
function wasNotCreated({ kind }: Failure): boolean {
  return [
    'agent-refused',
    'namespace-not-found',
    'cluster-forbidden',
    'cluster-unauthorized',
    'agent-undeliverable',
  ].includes(kind)
}

/** At most once in `ms`, the first time after `ms`. */
function throttled(ms: number, act: () => Promise<void>): () => Promise<void> {
  let lastMs = performance.now()
  return async () => {
    if (performance.now() - lastMs < ms) return
    lastMs = performance.now()
    await act()
  }
}

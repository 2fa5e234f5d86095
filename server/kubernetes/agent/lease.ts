// Extends the deadline of an agent's Job for as long as the session lives, by the cluster's clock and never by this machine's.
import { uptime } from 'node:os'
import type { V1Job } from '@kubernetes/client-node'
import type { Log } from '../../log.ts'
import { type Api, apiPath, StatusError } from '../client/api.ts'
import { leaseSeconds } from './job.ts'
import type { JobIdentity } from './remove.ts'

/** `lookMs`: how often it is looked whether it is time; a machine that wakes from sleep extends soon after. */
export type LeaseTiming = { lookMs: number; renewSeconds: number }
const usualTiming: LeaseTiming = { lookMs: 15_000, renewSeconds: 180 }
/** A lease that was just extended and has more or less left than it should: the estimate was off, for this machine slept or was moved. */
const offSeconds = 60

/**
 * The Job's age as last told by the cluster, and the reading of this machine's clock at that moment: `os.uptime`, which nobody sets, and
 * which on Linux and Windows goes on while the machine sleeps.
 */
export type Age = { seconds: number; atUptime: number }

export class Lease {
  readonly #api: Api
  readonly #job: JobIdentity
  readonly #log: Log
  readonly #life = new AbortController()
  readonly #timer
  readonly #renewSeconds: number
  #age: Age
  #renewedAt: number
  #renewing = false

  /** `age`: the Job's when this begins; too old is safe, since the deadline counts from its beginning. */
  constructor(
    api: Api,
    job: JobIdentity,
    log: Log,
    age: Age = { seconds: 0, atUptime: uptime() },
    { lookMs, renewSeconds }: LeaseTiming = usualTiming,
  ) {
    this.#api = api
    this.#job = job
    this.#log = log
    this.#age = age
    this.#renewedAt = age.atUptime
    this.#renewSeconds = renewSeconds
    this.#timer = setInterval(() => void this.#look(), lookMs)
    this.#timer.unref()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#life.abort()
  }

  async #look(): Promise<void> {
    if (this.#renewing || uptime() - this.#renewedAt < this.#renewSeconds) return
    this.#renewing = true
    await this.renew().catch(thrown => {
      if (!this.#life.signal.aborted)
        this.#log.write('warning', `the lease of ${this.#job.name} was not extended: ${String(thrown)}`)
    })
    this.#renewing = false
  }

  /** Rejects when the deadline could not be moved; the next look tries again. */
  async renew(): Promise<void> {
    const left = await this.#extend()
    if (left !== undefined && Math.abs(left - leaseSeconds) > offSeconds) await this.#extend()
    this.#renewedAt = uptime()
  }

  /** The seconds that are left by the cluster's clock, if the answer tells. */
  async #extend(): Promise<number | undefined> {
    const atUptime = uptime()
    const deadline = deadlineAt(this.#age, atUptime)
    const { namespace, name, uid } = this.#job
    const job = await this.#api.request<V1Job>({
      method: 'PATCH',
      path: apiPath('/apis/batch/v1/namespaces', namespace, 'jobs', name),
      query: { fieldManager },
      body: {
        ...(uid === undefined ? {} : { metadata: { uid } }),
        spec: { activeDeadlineSeconds: deadline },
      },
      asks: { verb: 'patch', resource: 'jobs.batch', namespace },
      signal: this.#life.signal,
    })
    const seconds = ageToldBy(job)
    if (seconds === undefined) return undefined
    this.#age = { seconds, atUptime }
    return deadline - seconds
  }
}

/** Under this name the API server notes when we changed something. */
export const fieldManager = 'standin'

/** In seconds from the Job's beginning, as activeDeadlineSeconds counts. */
export function deadlineAt(age: Age, atUptime: number): number {
  return Math.max(0, Math.ceil(age.seconds + (atUptime - age.atUptime))) + leaseSeconds
}

/** From the Job's start to our change of it, both by clocks of the cluster. Undefined while its controller has not started it. */
export function ageToldBy({ metadata, status }: V1Job): number | undefined {
  const changed = metadata?.managedFields?.filter(({ manager }) => manager === fieldManager).at(-1)?.time
  if (changed === undefined || status?.startTime === undefined) return undefined
  return Math.max(0, (Date.parse(String(changed)) - Date.parse(String(status.startTime))) / 1_000)
}

/** Whether a renewal failed because there is no such Job any more. */
export function isJobGone(thrown: unknown): boolean {
  return thrown instanceof StatusError && (thrown.status === 404 || thrown.status === 409)
}

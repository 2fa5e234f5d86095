// Deletes an agent's Job and with it its pod, through an API server that may be away for a moment.
import { setTimeout as pause } from 'node:timers/promises'
import type { V1Job } from '@kubernetes/client-node'
import { asFailure, Failure } from '../../../protocol/errors.ts'
import type { Tell } from '../../targets/found.ts'
import { type Api, apiPath, StatusError } from '../client/api.ts'
import { leaseSeconds } from './job.ts'

/** After this it is left to the agent, which ends without a link, and to the Job's deadline. */
const triesForMs = 10_000
/** How long a Job may come into being after the request for it was cut off. */
const lateMs = 2_000
const pauseMs = 250

export type JobIdentity = {
  namespace: string
  name: string
  /** Without it the outcome of creating is unknown: the Job may be there, come yet, or never. */
  uid?: string | undefined
}

/**
 * Resolves when the Job is gone, or when it is certain that it ends by itself; says which. Never rejects. The pod follows in the background: a
 * Job that waits for its pod to be deleted would stay for ever on a node that is gone.
 */
export async function removeJob(
  api: Api,
  job: JobIdentity,
  voice: { tell: Tell; graceMs: number },
): Promise<'gone' | 'left'> {
  const startMs = performance.now()
  const passedMs = () => performance.now() - startMs
  for (;;) {
    const outcome = await tryDelete(api, job)
    if (outcome === 'deleted' || (outcome === 'absent' && job.uid !== undefined)) return 'gone'
    if (outcome === 'absent' && passedMs() > lateMs) return 'gone'
    if (outcome instanceof Failure && (!outcome.data.retryable || passedMs() > triesForMs)) {
      voice.tell('warning', leftText(job, outcome, voice.graceMs))
      return 'left'
    }
    await pause(pauseMs)
  }
}

/** When it ends: its agent without a link, and what never became an agent with the Job's deadline. */
function leftText({ name, namespace }: JobIdentity, { message }: Failure, graceMs: number): string {
  const ends = `its agent ends by itself ${Math.round(graceMs / 1_000)} s after the session, and the Job at the latest ${leaseSeconds / 60} min after it`
  return `Job ${name} in namespace ${namespace} is left, and ${ends}: ${message}`
}

async function tryDelete(
  api: Api,
  { namespace, name, uid }: JobIdentity,
): Promise<'deleted' | 'absent' | Failure> {
  try {
    await api.request<V1Job>({
      method: 'DELETE',
      path: apiPath('/apis/batch/v1/namespaces', namespace, 'jobs', name),
      body: {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy: 'Background',
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      },
      asks: { verb: 'delete', resource: 'jobs.batch', namespace },
      signal: AbortSignal.timeout(triesForMs),
      timeoutMs: triesForMs / 2,
    })
    return 'deleted'
  } catch (thrown) {
    // 409: another Job of this name has taken its place.
    if (thrown instanceof StatusError && (thrown.status === 404 || thrown.status === 409)) return 'absent'
    return asFailure(thrown, 'delete jobs.batch')
  }
}

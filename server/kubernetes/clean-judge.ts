// What of an agent's objects was left behind, judged by state and lease against the cluster's clock; pure.
import type { V1Job, V1Pod } from '@kubernetes/client-node'

/** `keep`: it is in use, or it goes by itself. `remove`: nobody will. */
export type Verdict = { verdict: 'keep' | 'remove'; reason: string }

/** What the cluster's own controllers may take longer than they should. */
const patienceSeconds = 120
/** A pod is made after its Job and deleted after it: an age at which that is over. */
const orphanSeconds = 60

/** `nowMs`: by the cluster's clock; without it only what has no deadline is judged to be left behind. */
export function judgeJob({ metadata, spec, status }: V1Job, nowMs: number | undefined): Verdict {
  if (nowMs === undefined) return keep('the cluster does not tell its time, so that its age is not known')
  if (metadata?.deletionTimestamp) {
    const since = ago(secondsSince(metadata.deletionTimestamp, nowMs))
    return keep(
      `it is being deleted since ${since}, and waits for ${metadata.finalizers?.join(', ') || 'its pod'}`,
    )
  }
  const finished = status?.conditions?.find(
    ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
  )
  if (finished !== undefined) {
    const seconds = secondsSince(finished.lastTransitionTime, nowMs)
    const kept = spec?.ttlSecondsAfterFinished ?? 0
    if (seconds > kept + patienceSeconds)
      return remove(`its agent ended ${ago(seconds)} ago, and the cluster did not remove it`)
    return keep(
      `its agent ended ${ago(seconds)} ago, and the cluster removes it ${kept > seconds ? `${ago(kept - seconds)} from now` : 'by itself'}`,
    )
  }
  const age = secondsSince(status?.startTime ?? metadata?.creationTimestamp, nowMs)
  const lease = spec?.activeDeadlineSeconds
  if (lease === undefined) return remove('it has no lease, so nothing ends it')
  if (age > lease + patienceSeconds)
    return remove(`its lease ran out ${ago(age - lease)} ago, and the cluster did not end it`)
  return keep(
    `a session uses it, or it ends when its lease runs out, ${ago(Math.max(0, lease - age))} from now`,
  )
}

/** `jobs`: uids of the Jobs that are there and stay. A pod of one of these is not judged. */
export function judgePod(
  { metadata }: V1Pod,
  jobs: ReadonlySet<string>,
  nowMs: number | undefined,
): Verdict | undefined {
  const job = metadata?.ownerReferences?.find(({ kind }) => kind === 'Job')
  if (job !== undefined && jobs.has(job.uid)) return undefined
  if (nowMs === undefined) return keep('the cluster does not tell its time, so that its age is not known')
  if (metadata?.deletionTimestamp) {
    const seconds = secondsSince(metadata.deletionTimestamp, nowMs)
    return seconds > patienceSeconds
      ? remove(`its node has not ended it since ${ago(seconds)}`)
      : keep('it is being deleted')
  }
  const age = secondsSince(metadata?.creationTimestamp, nowMs)
  return age > orphanSeconds
    ? remove('its Job is gone, and the cluster did not remove it')
    : keep(`its Job is gone, and the cluster removes it by itself`)
}

/** What an ephemeral container's entry in its pod says; it can never be removed. */
export function judgeEphemeral(ended: boolean): Verdict {
  return keep(
    ended
      ? 'it ended; Kubernetes keeps the entry until its pod is deleted'
      : 'a session uses it, or it ends by itself when no session comes back to it',
  )
}

/** Why an object that was deleted is still there. */
export function waitsFor(kind: 'Job' | 'Pod', { metadata }: V1Job | V1Pod): string {
  const finalizers = metadata?.finalizers ?? []
  if (finalizers.length > 0) return `it is deleted, and waits for ${finalizers.join(', ')}`
  return kind === 'Pod'
    ? 'it is deleted, and its node has not ended it yet'
    : 'it is deleted, and the cluster has not removed it yet'
}

/** The API's types say Date, its JSON is text. */
function secondsSince(time: Date | string | undefined, nowMs: number): number {
  return time === undefined ? 0 : Math.max(0, (nowMs - new Date(time).getTime()) / 1_000)
}

/** "5 s", "12 min", "3 h", "2 d". */
export function ago(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}

function keep(reason: string): Verdict {
  return { verdict: 'keep', reason }
}

function remove(reason: string): Verdict {
  return { verdict: 'remove', reason }
}

// Finds what agents left in a cluster because one of its components crashed, and removes it; what a living session uses is kept.
import { setTimeout as pause } from 'node:timers/promises'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import type * as t from 'io-ts'
import type { AgentConfig } from '../../protocol/config.ts'
import { asFailure } from '../../protocol/errors.ts'
import type { cleanCluster as cleanMessage } from '../../protocol/rpc/kubernetes.ts'
import { agentContainerName } from './agent/marks.ts'
import { judgeEphemeral, judgeJob, judgePod, type Verdict, waitsFor } from './clean-judge.ts'
import { type Api, type ApiRequest, apiPath, StatusError } from './client/api.ts'
import { ourSelector } from './ours.ts'
import { checkNamespaceForm, readNamespace } from './targets/namespace.ts'

export type CleanResult = t.TypeOf<(typeof cleanMessage)['result']>
type Leftover = CleanResult['leftovers'][number]

export type CleanOptions = {
  /** Default the context's. */
  namespace?: string | undefined
  /** Its namespace, where agents are made in another than their target's, is looked in as well. */
  agent?: AgentConfig | undefined
  allNamespaces?: boolean | undefined
  dryRun?: boolean | undefined
  signal: AbortSignal
}

/** What was found, whether it was removed or not. Rejects with `cluster-*` or `namespace-not-found` when it cannot look. */
export async function cleanCluster(api: Api, options: CleanOptions): Promise<CleanResult> {
  const { signal, dryRun = false } = options
  const namespaces = namespacesOf(api, options)
  for (const namespace of namespaces) if (namespace !== undefined) await readNamespace(api, namespace, signal)
  const nowMs = await clusterTime(api, signal)
  const jobs: V1Job[] = []
  const pods: V1Pod[] = []
  for (const namespace of namespaces) {
    jobs.push(
      ...(await listAll<V1Job>(api, listing('/apis/batch/v1', 'jobs', namespace, ourSelector, signal))),
    )
    pods.push(
      ...(await listAll<V1Pod>(api, listing('/api/v1', 'pods', namespace, undefined, signal), holdsOurs)),
    )
  }
  const deleted = new Map<Leftover, Found>()
  const clean = async (found: Found) => {
    const leftover = await settle(api, found, { dryRun, signal })
    if (leftover.action === 'removed') deleted.set(leftover, found)
    return leftover
  }
  const leftovers: Leftover[] = []
  const staying = new Set<string>()
  for (const job of jobs) {
    const verdict = judgeJob(job, nowMs)
    staying.add(job.metadata?.uid ?? '')
    leftovers.push(await clean({ kind: 'Job', object: job, verdict }))
  }
  for (const pod of pods.filter(isOurs)) {
    const verdict = judgePod(pod, staying, nowMs)
    if (verdict !== undefined) leftovers.push(await clean({ kind: 'Pod', object: pod, verdict }))
  }
  const settled = await Promise.all(
    leftovers.map(leftover => {
      const found = deleted.get(leftover)
      return found === undefined ? leftover : whatBecame(api, leftover, found, signal)
    }),
  )
  return { leftovers: [...settled, ...pods.flatMap(ephemeralEntries)] }
}

/** `undefined` stands for all. */
function namespacesOf(api: Api, { allNamespaces, namespace, agent }: CleanOptions): (string | undefined)[] {
  if (allNamespaces) return [undefined]
  const named = [namespace ?? api.namespace, ...(agent?.namespace === undefined ? [] : [agent.namespace])]
  return [...new Set(named.map(checkNamespaceForm))]
}

/** Deleting may be no more than a mark: finalizers, and a pod's node, have their say before the object is gone. */
async function whatBecame(
  api: Api,
  leftover: Leftover,
  { kind, object }: Found,
  signal: AbortSignal,
): Promise<Leftover> {
  const { name = '', namespace = '', uid } = object.metadata ?? {}
  const asks = { verb: 'get', resource: kind === 'Job' ? 'jobs.batch' : 'pods', namespace }
  const untilMs = performance.now() + goneMs
  for (;;) {
    try {
      const now = await api.request<V1Job | V1Pod>({ path: pathOf(kind, namespace, name), asks, signal })
      if (now.metadata?.uid !== uid) return leftover
      if (performance.now() < untilMs) await pause(lookMs, undefined, { signal }).catch(() => {})
      else return { ...leftover, action: 'removing', reason: `${leftover.reason}; ${waitsFor(kind, now)}` }
    } catch (thrown) {
      signal.throwIfAborted()
      if (thrown instanceof StatusError && thrown.status === 404) return leftover
      const { message } = asFailure(thrown, `get ${kind}`)
      return {
        ...leftover,
        action: 'removing',
        reason: `${leftover.reason}; whether it is gone is not known: ${message}`,
      }
    }
  }
}

/** What ends at SIGTERM is gone by then. */
const goneMs = 8_000
const lookMs = 250

function pathOf(kind: 'Job' | 'Pod', namespace: string, name: string): string {
  return kind === 'Job'
    ? apiPath('/apis/batch/v1/namespaces', namespace, 'jobs', name)
    : apiPath('/api/v1/namespaces', namespace, 'pods', name)
}

/** By the clock that the timestamps of its objects come from: this machine's may be a day off. */
async function clusterTime(api: Api, signal: AbortSignal): Promise<number | undefined> {
  const answer = await api.stream({
    path: '/version',
    asks: { verb: 'get', resource: '/version' },
    signal,
  })
  answer.destroy()
  const ms = Date.parse(answer.headers.date ?? '')
  return Number.isNaN(ms) ? undefined : ms
}

function listing(
  prefix: string,
  resource: 'jobs' | 'pods',
  namespace: string | undefined,
  labelSelector: string | undefined,
  signal: AbortSignal,
): ApiRequest {
  const asks = { verb: 'list', resource: resource === 'jobs' ? 'jobs.batch' : resource, namespace }
  const path =
    namespace === undefined ? apiPath(prefix, resource) : apiPath(`${prefix}/namespaces`, namespace, resource)
  return { path, query: { labelSelector }, asks, signal }
}

async function listAll<T>(
  api: Api,
  request: ApiRequest,
  which: (item: T) => boolean = () => true,
): Promise<T[]> {
  const all: T[] = []
  for await (const page of api.pages<T>(request)) all.push(...page.filter(which))
  return all
}

/** No selector finds a pod by its ephemeral containers, so all are looked at, page by page. */
function holdsOurs(pod: V1Pod): boolean {
  return isOurs(pod) || ourContainers(pod).length > 0
}

function isOurs({ metadata }: V1Pod): boolean {
  const labels = metadata?.labels ?? {}
  return ourSelector.split(',').every(pair => {
    const [name = '', value] = pair.split('=')
    return labels[name] === value
  })
}

type Found = { kind: 'Job' | 'Pod'; object: V1Job | V1Pod; verdict: Verdict }

async function settle(
  api: Api,
  { kind, object, verdict }: Found,
  { dryRun, signal }: { dryRun: boolean; signal: AbortSignal },
): Promise<Leftover> {
  const { name = '', namespace = '', creationTimestamp } = object.metadata ?? {}
  const told = { kind, namespace, name, createdAt: isoTime(creationTimestamp), reason: verdict.reason }
  if (verdict.verdict === 'keep') return { ...told, action: 'kept' }
  if (dryRun) return { ...told, action: 'wouldRemove' }
  try {
    await remove(api, kind, object, signal)
    return { ...told, action: 'removed' }
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof StatusError && thrown.status === 404) return { ...told, action: 'removed' }
    if (thrown instanceof StatusError && thrown.status === 409)
      return { ...told, action: 'kept', reason: 'it changed while it was looked at, so somebody uses it' }
    const { message } = thrown instanceof StatusError ? thrown : asFailure(thrown, `delete ${kind}`)
    return { ...told, action: 'failed', failure: message }
  }
}

/** Only what was judged: a Job whose lease was extended meanwhile is another version of itself. */
async function remove(api: Api, kind: 'Job' | 'Pod', object: V1Job | V1Pod, signal: AbortSignal) {
  const { name = '', namespace = '', uid, resourceVersion, deletionTimestamp } = object.metadata ?? {}
  await api.request({
    method: 'DELETE',
    path: pathOf(kind, namespace, name),
    body: {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Background',
      preconditions: { uid, resourceVersion },
      // Its node does not answer for it any more.
      ...(deletionTimestamp ? { gracePeriodSeconds: 0 } : {}),
    },
    asks: { verb: 'delete', resource: kind === 'Job' ? 'jobs.batch' : 'pods', namespace },
    signal,
  })
}

function ourContainers({ spec }: V1Pod) {
  return (spec?.ephemeralContainers ?? []).filter(({ name }) => name.startsWith(`${agentContainerName}-`))
}

function ephemeralEntries(pod: V1Pod): Leftover[] {
  const { metadata, status } = pod
  return ourContainers(pod).map(({ name }) => {
    const state = status?.ephemeralContainerStatuses?.find(each => each.name === name)?.state
    const { reason } = judgeEphemeral(state?.terminated !== undefined)
    const started = state?.terminated?.startedAt ?? state?.running?.startedAt ?? metadata?.creationTimestamp
    return {
      kind: 'EphemeralContainer',
      namespace: metadata?.namespace ?? '',
      name: `${metadata?.name}/${name}`,
      createdAt: isoTime(started),
      action: 'kept',
      reason,
    }
  })
}

function isoTime(time: Date | string | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString()
}

// Finds the object that a target names, and the pods that are its.
import type { V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import { suggestion } from '../../../protocol/suggest.ts'
import type { Api } from '../client/api.ts'
import { type ClusterKind, type KindRow, kindTable, pathOf, resourceOf, rowOf } from './kinds.ts'
import { isForbidden, isNotFound, readNamespace } from './namespace.ts'
import { type ParsedTarget, writeTarget } from './parse.ts'
import { listPods, type Place, podsOf } from './pods-of.ts'
import { isAbsentKind } from './served.ts'
import type { Workload } from './workload-state.ts'

export type Located = {
  kind: ClusterKind
  name: string
  /** The target in full, as `standin ls` writes it. */
  written: string
  /** What `kubectl describe` takes. */
  object: string
  /** Not of labels. */
  workload?: Workload
  pods: V1Pod[]
  notices: string[]
}

/**
 * Throws `target-not-found`, `namespace-not-found`, `target-kind-ambiguous`, `selector-invalid`, and `cluster-forbidden` for what the user may
 * not read.
 */
export async function locateTarget(api: Api, parsed: ParsedTarget, place: Place): Promise<Located> {
  if (parsed.by === 'label') return locateByLabel(api, parsed, place)
  const found = parsed.by === 'kind' ? await named(api, parsed, place) : await bare(api, parsed.name, place)
  const written = writeTarget(found.kind, parsed.name, parsed.container)
  return { ...found, name: parsed.name, written, object: writeTarget(found.kind, parsed.name) }
}

type Found = Pick<Located, 'kind' | 'pods' | 'notices'> & { workload: Workload }

async function locateByLabel(
  api: Api,
  { selector, container }: ParsedTarget & { by: 'label' },
  place: Place,
): Promise<Located> {
  const pods = await withSelector(selector, listPods(api, place, selector))
  if (pods.length === 0) {
    await readNamespace(api, place.namespace, place.signal)
    const reason = `no pod in namespace "${place.namespace}" has these labels`
    throw new Failure('target-not-found', { target: `label/${selector}`, reason })
  }
  const written = `label/${selector}${container === undefined ? '' : `/container/${container}`}`
  return { kind: 'pod', name: selector, written, object: `pods -l ${selector}`, pods, notices: [] }
}

/** Gives the API server's refusal of a selector its own name: it alone knows the grammar for certain. */
export async function withSelector<T>(selector: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (thrown) {
    throw selectorFailure(selector, thrown)
  }
}

export function selectorFailure(selector: string, thrown: unknown): unknown {
  const refused =
    thrown instanceof Failure && thrown.kind === 'cluster-failed' && thrown.values.status === 400
  if (!refused) return thrown
  const reason = String(thrown.values.reason)
  return new Failure('selector-invalid', { selector: selector.slice(0, 200), reason }, { cause: thrown })
}

async function named(api: Api, { kind, name }: ParsedTarget & { by: 'kind' }, place: Place): Promise<Found> {
  const row = rowOf(kind)
  const workload = await read(api, row, name, place)
  if (workload === undefined) throw await notFound(api, row, name, place)
  return { kind, workload, pods: await podsOf(api, place, kind, workload), notices: [] }
}

/** Nothing when it does not exist. */
async function read(
  api: Api,
  row: KindRow,
  name: string,
  { namespace, signal }: Place,
): Promise<Workload | undefined> {
  try {
    return await api.request<Workload>({
      path: pathOf(row, namespace, name),
      signal,
      asks: { verb: 'get', resource: resourceOf(row), namespace },
    })
  } catch (thrown) {
    if (isNotFound(thrown) || (await isAbsentKind(api, row, thrown, signal))) return undefined
    throw thrown
  }
}

async function notFound(api: Api, row: KindRow, name: string, place: Place): Promise<Failure> {
  await readNamespace(api, place.namespace, place.signal)
  const others = await namesOf(api, row, place)
  const reason =
    others === undefined
      ? `the cluster has no kind ${resourceOf(row)}`
      : `namespace "${place.namespace}" has no ${row.kind} of that name${suggestion(name, others)}`
  return new Failure('target-not-found', { target: writeTarget(row.kind, name), reason })
}

/** Some names of a kind, to suggest one; nothing when the cluster does not know the kind. */
async function namesOf(api: Api, row: KindRow, { namespace, signal }: Place): Promise<string[] | undefined> {
  const asks = { verb: 'list', resource: resourceOf(row), namespace }
  try {
    for await (const page of api.pages<Workload>({ path: pathOf(row, namespace), signal, asks }))
      return page.map(({ metadata }) => metadata?.name ?? '')
    return []
  } catch (thrown) {
    if (isNotFound(thrown) || (await isAbsentKind(api, row, thrown, signal))) return undefined
    if (isForbidden(thrown)) return []
    throw thrown
  }
}

/**
 * A name without a kind. A service beside the one workload whose pods it selects is no second meaning: both stand for the same pods, and a
 * service is commonly named after what it serves.
 */
async function bare(api: Api, name: string, place: Place): Promise<Found> {
  const looked = await Promise.all(kindTable.map(row => lookFor(api, row, name, place)))
  const found = looked.flatMap(each =>
    each.workload === undefined ? [] : [{ ...each, workload: each.workload }],
  )
  const refused = looked.flatMap(({ kind, refusal }) => (refusal === undefined ? [] : [{ kind, refusal }]))
  if (found.length === 0) throw await nothingNamed(api, name, place, refused)
  const meanings = distinct(
    await Promise.all(
      found.map(async ({ kind, workload }) => ({
        kind,
        workload,
        pods: await podsOf(api, place, kind, workload),
        notices: [],
      })),
    ),
  )
  const [only, ...others] = meanings
  if (only !== undefined && others.length === 0) return only
  const names = meanings.map(({ kind }) => writeTarget(kind, name)).join(', ')
  throw new Failure('target-kind-ambiguous', { target: name, count: meanings.length, names })
}

async function lookFor(
  api: Api,
  { kind, ...row }: KindRow,
  name: string,
  place: Place,
): Promise<{ kind: ClusterKind; workload?: Workload; refusal?: Failure }> {
  try {
    const workload = await read(api, { kind, ...row }, name, place)
    return workload === undefined ? { kind } : { kind, workload }
  } catch (thrown) {
    if (isForbidden(thrown)) return { kind, refusal: thrown }
    throw thrown
  }
}

/** Without the services whose pods are all another meaning's. */
function distinct(meanings: Found[]): Found[] {
  const uids = ({ pods }: Found) => pods.map(({ metadata }) => metadata?.uid)
  const others = meanings.filter(({ kind }) => kind !== 'service')
  return meanings.filter(
    meaning =>
      meaning.kind !== 'service' ||
      !others.some(other => uids(meaning).every(uid => uids(other).includes(uid))),
  )
}

/** What the user may not look at may have that name, so a refusal is told rather than "not found" when nothing at all may be looked at. */
async function nothingNamed(
  api: Api,
  name: string,
  place: Place,
  refused: readonly { kind: ClusterKind; refusal: Failure }[],
): Promise<Failure> {
  await readNamespace(api, place.namespace, place.signal)
  const own = kindTable.filter(({ group }) => !group.includes('.'))
  if (own.every(({ kind }) => refused.some(each => each.kind === kind))) return refused[0]!.refusal
  const kinds = refused.map(({ kind }) => resourceOf(rowOf(kind))).join(', ')
  const hidden = kinds === '' ? '' : `, as far as you may look (you may not get ${kinds})`
  const reason = `namespace "${place.namespace}" has nothing of that name that can be a target${hidden}`
  return new Failure('target-not-found', { target: name, reason })
}

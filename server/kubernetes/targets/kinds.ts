// The kinds of objects that can be a target: where the API server keeps them and how people write them.
import type { ListedKind } from '../../../protocol/rpc/targets.ts'
import { apiPath } from '../client/api.ts'

export type ClusterKind = Exclude<ListedKind, 'process' | 'container'>

export type KindRow = {
  readonly kind: ClusterKind
  /** Plural, as in paths and in RBAC. */
  readonly resource: string
  /** "" for the core group. */
  readonly group: string
  readonly version: string
  /** What kubectl accepts besides the kind and the plural. */
  readonly short: readonly string[]
  /** `kind` of an ownerReference. */
  readonly owner: string
}

/** In the order in which a bare name is tried: what owns pods before what only selects them. Short names: `kubectl api-resources`. */
// biome-ignore format: a table is read row by row
export const kindTable: readonly KindRow[] = [
  { kind: 'deployment', resource: 'deployments', group: 'apps', version: 'v1', short: ['deploy'], owner: 'Deployment' },
  { kind: 'statefulset', resource: 'statefulsets', group: 'apps', version: 'v1', short: ['sts'], owner: 'StatefulSet' },
  { kind: 'daemonset', resource: 'daemonsets', group: 'apps', version: 'v1', short: ['ds'], owner: 'DaemonSet' },
  { kind: 'rollout', resource: 'rollouts', group: 'argoproj.io', version: 'v1alpha1', short: ['ro'], owner: 'Rollout' },
  { kind: 'cronjob', resource: 'cronjobs', group: 'batch', version: 'v1', short: ['cj'], owner: 'CronJob' },
  { kind: 'job', resource: 'jobs', group: 'batch', version: 'v1', short: [], owner: 'Job' },
  { kind: 'replicaset', resource: 'replicasets', group: 'apps', version: 'v1', short: ['rs'], owner: 'ReplicaSet' },
  { kind: 'pod', resource: 'pods', group: '', version: 'v1', short: ['po'], owner: 'Pod' },
  { kind: 'service', resource: 'services', group: '', version: 'v1', short: ['svc'], owner: 'Service' },
]

export function rowOf(kind: ClusterKind): KindRow {
  return kindTable.find(row => row.kind === kind)!
}

/** The row that a word names: "deploy", "deployments", "Deployment", and "deployment.apps" as `kubectl -o name` prints it. */
export function rowNamed(word: string): KindRow | undefined {
  const [name = '', ...rest] = word.toLowerCase().split('.')
  const suffix = rest.join('.')
  return kindTable.find(
    ({ kind, resource, short, group, version }) =>
      [kind, resource, ...short].includes(name) &&
      ['', group, `${version}.${group}`.replace(/\.$/, '')].includes(suffix),
  )
}

/** As RBAC and kubectl write it: "pods", "deployments.apps". */
export function resourceOf({ resource, group }: KindRow): string {
  return group === '' ? resource : `${resource}.${group}`
}

/** Path of the list of a kind, in one namespace or in all, or of one object. */
export function pathOf({ resource, group, version }: KindRow, namespace?: string, name?: string): string {
  const prefix = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const place = namespace === undefined ? [] : ['namespaces', namespace]
  return apiPath(prefix, ...place, resource, ...(name === undefined ? [] : [name]))
}

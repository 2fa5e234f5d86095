// Lists the targets of a namespace or of a whole cluster: every kind at once, page by page, each target told as soon as it is known.
import type { Failure } from '../../../protocol/errors.ts'
import type { ListedKind, Target } from '../../../protocol/rpc/targets.ts'
import type { Api, Query } from '../client/api.ts'
import { type ClusterKind, type KindRow, kindTable, pathOf, resourceOf } from './kinds.ts'
import { selectorFailure } from './locate.ts'
import { checkNamespaceForm, isForbidden, isNotFound, readNamespace } from './namespace.ts'
import { PodIndex, type PodRow, podRow, podTarget } from './pod-index.ts'
import { isAbsentKind } from './served.ts'
import type { Workload } from './workload-state.ts'
import { isListed, workloadTarget } from './workload-target.ts'

export type ListOptions = {
  /** Default all kinds; then replica sets that a deployment or rollout owns are left out, for nobody thinks of them. */
  kinds?: readonly ListedKind[] | undefined
  /** Only targets whose name contains this. */
  name?: string | undefined
  /** As of kubectl -l. */
  labels?: string | undefined
  namespace: string
  allNamespaces?: boolean | undefined
  signal: AbortSignal
  onPart?(target: Target): void
}

export type Listed = { targets: Target[]; warnings: string[] }

/**
 * Kinds that the user may not list are a warning, kinds that the cluster does not have are nothing. Rejects with `cluster-forbidden` when no
 * kind may be listed, `namespace-not-found`, `selector-invalid`, or `cluster-*`.
 */
export function listClusterTargets(api: Api, options: ListOptions): Promise<Listed> {
  return new Listing(api, options).run()
}

class Listing {
  readonly #api: Api
  readonly #options: ListOptions
  readonly #namespace: string | undefined
  readonly #rows: readonly KindRow[]
  readonly #targets: Target[] = []
  readonly #pods = new PodIndex()
  readonly #refusals: Failure[] = []
  /** Workloads whose state only their pods tell. */
  readonly #open: { kind: ClusterKind; workload: Workload }[] = []

  constructor(api: Api, options: ListOptions) {
    this.#api = api
    this.#options = options
    this.#namespace = options.allNamespaces ? undefined : checkNamespaceForm(options.namespace)
    this.#rows = kindTable.filter(({ kind }) => options.kinds?.includes(kind) ?? true)
  }

  async run(): Promise<Listed> {
    const workloads = this.#rows.filter(({ kind }) => kind !== 'pod')
    // The pods are the most, so they go first; the other kinds come in meanwhile.
    await Promise.all([this.#listPods(), ...workloads.map(row => this.#listWorkloads(row))])
    await this.#closeOpen()
    if (this.#refusals.length > 0 && this.#refusals.length === this.#rows.length) throw this.#refusals[0]!
    if (this.#targets.length === 0 && this.#namespace !== undefined)
      await readNamespace(this.#api, this.#namespace, this.#options.signal)
    const warnings = this.#refusals.map(({ message }) => message)
    return { targets: this.#targets.sort(byPlace), warnings }
  }

  async #listPods(): Promise<void> {
    const row = this.#rows.find(({ kind }) => kind === 'pod')
    if (row === undefined) return
    const { labels } = this.#options
    await this.#pages<PodRow & { metadata?: object }>(row, labels, item => {
      const pod = podRow(item)
      if (labels === undefined) this.#pods.add(pod)
      this.#emit(podTarget(pod), pod.ours)
    })
    if (labels === undefined) this.#pods.complete = true
  }

  #listWorkloads(row: KindRow): Promise<void> {
    return this.#pages<Workload>(row, this.#options.labels, workload => {
      if (!isListed(row.kind, workload, this.#options.kinds !== undefined)) return
      const target = workloadTarget(row.kind, workload)
      if (target === undefined) this.#open.push({ kind: row.kind, workload })
      else this.#emit(target, false)
    })
  }

  async #closeOpen(): Promise<void> {
    const wanted = this.#open.filter(({ workload }) => this.#fitsName(workload.metadata?.name ?? ''))
    if (wanted.length === 0) return
    await this.#readAllPods()
    for (const { kind, workload } of wanted) {
      const pods = this.#pods.complete ? this.#pods.of(kind, workload) : undefined
      this.#emit(workloadTarget(kind, workload, pods ?? [])!, false)
    }
  }

  /** What a workload says of itself must do for a user who may not list pods. */
  async #readAllPods(): Promise<void> {
    const row = kindTable.find(({ kind }) => kind === 'pod')!
    if (this.#pods.complete || this.#refusals.some(({ values }) => values.resource === 'pods')) return
    const refused = this.#refusals.length
    await this.#pages<object>(row, undefined, item => this.#pods.add(podRow(item)))
    this.#pods.complete = this.#refusals.length === refused
    this.#refusals.length = refused
  }

  async #pages<T extends object>(
    row: KindRow,
    labelSelector: string | undefined,
    take: (item: T) => void,
  ): Promise<void> {
    const query: Query = { labelSelector }
    const { signal } = this.#options
    const namespace = this.#namespace
    const asks = { verb: 'list', resource: resourceOf(row), namespace }
    try {
      const request = { path: pathOf(row, namespace), query, signal, asks }
      for await (const page of this.#api.pages<T>(request)) for (const item of page) take(item)
    } catch (thrown) {
      if (isNotFound(thrown)) return
      if (await isAbsentKind(this.#api, row, thrown, signal)) return
      if (isForbidden(thrown)) return void this.#refusals.push(thrown)
      throw labelSelector === undefined ? thrown : selectorFailure(labelSelector, thrown)
    }
  }

  #emit(target: Target, ours: boolean): void {
    if (ours || !this.#fitsName(target.name)) return
    this.#targets.push(target)
    this.#options.onPart?.(target)
  }

  #fitsName(name: string): boolean {
    return name.includes(this.#options.name ?? '')
  }
}

function byPlace(a: Target, b: Target): number {
  return (
    rank(a.namespace ?? '', b.namespace ?? '') ||
    rank(a.kind, b.kind) ||
    rank(a.name, b.name) ||
    rank(a.target, b.target)
  )
}

function rank(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

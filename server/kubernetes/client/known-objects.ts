// What a watch has told so far, so that nothing is told twice or forgotten when it has to begin again; pure.
import type { KubeObject, WatchEvent } from './api.ts'

export class KnownObjects<T extends KubeObject> {
  /** By uid: an object that was deleted and made again under its name is another one. */
  readonly #known = new Map<string, T>()
  /** Whether all that exists is known; not so after a watch that began at a version that its caller gave. */
  #complete = false

  /** What the first pages of a first list tell; empty for what was told already. */
  addPage(items: readonly T[]): WatchEvent<T>[] {
    return items.flatMap(item => this.take({ type: 'ADDED', object: item }) ?? [])
  }

  /** The whole list was told. */
  complete(): void {
    this.#complete = true
  }

  /** What a list of everything tells after a gap; deletions first, because a name may be taken again. */
  compare(items: readonly T[]): WatchEvent<T>[] {
    const there = new Set(items.map(keyOf))
    const gone = [...this.#known.entries()].filter(([key]) => !there.has(key))
    for (const [key] of gone) this.#known.delete(key)
    this.#complete = true
    return [
      ...gone.map(([, object]) => ({ type: 'DELETED' as const, object })),
      ...items.flatMap(item => this.take({ type: 'ADDED', object: item }) ?? []),
    ]
  }

  /** The event as the caller should see it; undefined when it was told already. */
  take(event: WatchEvent<T>): WatchEvent<T> | undefined {
    if (event.type === 'BOOKMARK') return event
    const key = keyOf(event.object)
    const before = this.#known.get(key)
    if (event.type === 'DELETED') {
      this.#known.delete(key)
      return before === undefined && this.#complete ? undefined : event
    }
    this.#known.set(key, event.object)
    if (before === undefined) return { type: this.#complete ? 'ADDED' : event.type, object: event.object }
    const same = before.metadata?.resourceVersion === event.object.metadata?.resourceVersion
    return same ? undefined : { type: 'MODIFIED', object: event.object }
  }
}

function keyOf({ metadata }: KubeObject): string {
  return metadata?.uid ?? `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`
}

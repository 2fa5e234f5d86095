// A list of objects, page by page, the next one under way while this one is read.
import { type ApiRequest, StatusError } from './api.ts'

type List<T> = { items?: T[] | null; metadata?: { continue?: string; resourceVersion?: string } }
export type Page<T> = { items: T[]; resourceVersion: string | undefined }
export type Ask = <T>(request: ApiRequest) => Promise<T>

/** A page of 500 pods takes the main thread about 10 ms to parse. */
const defaultPageSize = 500

/**
 * A page's token lives about 5 minutes. When it has expired (410) the API server gives another one with the refusal, which goes on behind the
 * last name with what is there then; without one the list begins again, and what was yielded already is left out.
 */
export async function* listPages<T>(
  ask: Ask,
  request: ApiRequest & { pageSize?: number },
): AsyncGenerator<Page<T>> {
  const limit = request.pageSize ?? defaultPageSize
  const fetch = (continueToken: string | undefined): Promise<List<T>> => {
    const page = ask<List<T>>({ ...request, query: { ...request.query, limit, continue: continueToken } })
    // It may fail while the page before it is still read; whoever awaits it sees that.
    page.catch(() => {})
    return page
  }
  const yielded = new Set<string>()
  let restarted = false
  let next: Promise<List<T>> | undefined = fetch(undefined)
  while (next !== undefined) {
    let list: List<T>
    try {
      list = await next
    } catch (error) {
      const expired = error instanceof StatusError && error.status === 410
      if (!expired || restarted) throw error
      restarted = true
      next = fetch(error.continueToken)
      continue
    }
    const token = list.metadata?.continue
    next = token ? fetch(token) : undefined
    const items = (list.items ?? []).filter(item => !yielded.has(keyOf(item)))
    for (const item of items) yielded.add(keyOf(item))
    yield { items, resourceVersion: list.metadata?.resourceVersion }
  }
}

function keyOf(item: unknown): string {
  const { namespace = '', name = '' } =
    (item as { metadata?: { namespace?: string; name?: string } }).metadata ?? {}
  return `${namespace}/${name}`
}

// Long lists in pages, also when their tokens expire.
import assert from 'node:assert/strict'
import { type ApiRequest, type Query, StatusError } from '../../../../server/kubernetes/client/api.ts'
import { listPages } from '../../../../server/kubernetes/client/pages.ts'

const request = {
  path: '/api/v1/pods',
  query: { labelSelector: 'app=shop' },
  signal: new AbortController().signal,
  asks: { verb: 'list', resource: 'pods' },
  pageSize: 2,
}
const pods = (...names: string[]) => names.map(name => ({ metadata: { name } }))
const expired = (token?: string) => new StatusError(410, 'Expired', 'too old', request.asks, undefined, token)

/** Lists with these answers in turn, and gives the pages and what was asked. */
async function list(...answers: (object | Error)[]) {
  const asked: (Query | undefined)[] = []
  const ask = async <T>({ query }: ApiRequest): Promise<T> => {
    asked.push(query)
    const answer = answers[asked.length - 1]
    if (answer instanceof Error) throw answer
    return answer as T
  }
  const pages: string[][] = []
  for await (const { items } of listPages<{ metadata: { name: string } }>(ask, request))
    pages.push(items.map(item => item.metadata.name))
  return { asked, pages }
}

describe('listPages()', () => {
  it('follows the tokens with the same question', async () => {
    const { asked, pages } = await list(
      { items: pods('a', 'b'), metadata: { continue: 't1' } },
      { items: pods('c'), metadata: {} },
    )
    assert.deepEqual(pages, [['a', 'b'], ['c']])
    assert.deepEqual(asked, [
      { labelSelector: 'app=shop', limit: 2, continue: undefined },
      { labelSelector: 'app=shop', limit: 2, continue: 't1' },
    ])
  })

  it('takes null for no items', async () => {
    assert.deepEqual((await list({ items: null })).pages, [[]])
  })

  it('goes on with the token that an expired page brings', async () => {
    const first = { items: pods('a', 'b'), metadata: { continue: 't1' } }
    const { asked, pages } = await list(first, expired('fresh'), { items: pods('c') })
    assert.deepEqual(pages, [['a', 'b'], ['c']])
    assert.equal(asked[2]?.continue, 'fresh')
  })

  it('begins again without one, and gives nothing twice', async () => {
    const first = { items: pods('a', 'b'), metadata: { continue: 't1' } }
    const second = { items: pods('a', 'b'), metadata: { continue: 't2' } }
    const { pages } = await list(first, expired(), second, { items: pods('c') })
    assert.deepEqual(pages, [['a', 'b'], [], ['c']])
  })

  it('gives up when pages expire again, and passes on every other failure', async () => {
    const first = { items: pods('a'), metadata: { continue: 't1' } }
    await assert.rejects(list(first, expired('x'), expired('y')), /too old/)
    await assert.rejects(list(first, new Error('refused')), /refused/)
  })
})

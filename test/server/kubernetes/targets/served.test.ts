// Which kinds of targets a cluster has at all.
import assert from 'node:assert/strict'
import { Failure } from '../../../../protocol/errors.ts'
import { type Api, type ApiRequest, StatusError } from '../../../../server/kubernetes/client/api.ts'
import { listClusterTargets } from '../../../../server/kubernetes/targets/list.ts'
import { locateTarget } from '../../../../server/kubernetes/targets/locate.ts'

/** A cluster with nothing in it whose user may look at all but these; `groups` are what discovery tells. */
function cluster(forbidden: readonly string[], groups: readonly string[]) {
  const asked: string[] = []
  const refuse = ({ asks }: ApiRequest) => {
    if (forbidden.includes(asks.resource))
      throw new Failure('cluster-forbidden', { verb: asks.verb, resource: asks.resource, where: '' })
  }
  const api = {
    async request(request: ApiRequest) {
      asked.push(request.path)
      refuse(request)
      if (request.path === '/apis') return { groups: groups.map(name => ({ name })) }
      if (request.path.endsWith('/namespaces/shop')) return { metadata: {} }
      throw new StatusError(404, 'NotFound', 'not found', request.asks)
    },
    async *pages(request: ApiRequest) {
      refuse(request)
      yield []
    },
  } as unknown as Api
  return { api, asked }
}
const rollouts = 'rollouts.argoproj.io'
const { signal } = new AbortController()
const place = { namespace: 'shop', signal }
const reasonOf = (api: Api, name: string): Promise<string> =>
  locateTarget(api, { by: 'name', name }, place).then(
    () => assert.fail('it was found'),
    thrown => (thrown as Failure).message,
  )

describe('a kind that the cluster does not have', () => {
  it('is no warning of a list, although the cluster calls it forbidden, and is asked for once', async () => {
    const { api, asked } = cluster([rollouts], ['apps', 'batch'])
    const { warnings } = await listClusterTargets(api, { namespace: 'shop', signal })
    assert.deepEqual(warnings, [])
    assert.deepEqual(
      asked.filter(path => path === '/apis'),
      ['/apis'],
    )
  })
  it('is one where the cluster has it, and where it does not say what it has', async () => {
    for (const api of [cluster([rollouts], ['argoproj.io']).api, cluster([rollouts, '/apis'], []).api]) {
      const { warnings } = await listClusterTargets(api, { namespace: 'shop', signal })
      assert.equal(warnings.length, 1)
      assert.match(warnings[0]!, /rollouts\.argoproj\.io/)
    }
  })
  it('is not asked for where nothing is forbidden', async () => {
    const { api, asked } = cluster([], [])
    await listClusterTargets(api, { namespace: 'shop', signal })
    assert.ok(!asked.includes('/apis'))
  })
  it('hides no target with a bare name, and others that are forbidden are named', async () => {
    const none = 'Cannot find target "web": namespace "shop" has nothing of that name that can be a target'
    assert.equal(await reasonOf(cluster([rollouts], []).api, 'web'), none)
    assert.equal(
      await reasonOf(cluster([rollouts, 'services'], []).api, 'web'),
      `${none}, as far as you may look (you may not get services)`,
    )
  })
  it('is told when it is named', async () => {
    const { api } = cluster([rollouts], [])
    await assert.rejects(locateTarget(api, { by: 'kind', kind: 'rollout', name: 'web' }, place), {
      kind: 'target-not-found',
      message: 'Cannot find target "rollout/web": the cluster has no kind rollouts.argoproj.io',
    })
  })
})

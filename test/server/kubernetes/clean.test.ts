// What clean says of each thing that it found and deleted.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import sinon from 'sinon'
import { cleanCluster } from '../../../server/kubernetes/clean.ts'
import { type Api, type ApiRequest, StatusError } from '../../../server/kubernetes/client/api.ts'

const now = '2030-01-01T00:00:00Z'
const labels = { 'app.kubernetes.io/name': 'standin-agent', 'app.kubernetes.io/managed-by': 'standin' }
const orphan = (finalizers: string[]) => ({
  metadata: {
    name: 'orphan',
    namespace: 'shop',
    uid: 'u',
    labels,
    creationTimestamp: '2029-12-31T00:00:00Z',
    finalizers,
  },
})

/** A cluster with one pod that is left behind; `looks` is what each look after its deletion finds. */
function cluster(finalizers: string[], looks: ('there' | 'gone' | 'another')[]): Api {
  const pod = orphan(finalizers)
  const request = async ({ method, path, asks }: ApiRequest) => {
    if (method === 'DELETE') return {}
    if (!path.endsWith('/pods/orphan')) return { metadata: {} }
    const look = looks.length > 1 ? looks.shift() : looks[0]
    if (look === 'gone') throw new StatusError(404, 'NotFound', 'not found', asks)
    const { metadata } = pod
    return look === 'another'
      ? { metadata: { ...metadata, uid: 'v' } }
      : { metadata: { ...metadata, deletionTimestamp: now } }
  }
  return {
    request,
    stream: async () => Object.assign(Readable.from([]), { headers: { date: new Date(now).toUTCString() } }),
    async *pages({ path }: ApiRequest) {
      yield path.endsWith('/pods') ? [pod] : []
    },
  } as unknown as Api
}

describe('cleanCluster()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => clock.restore())

  async function cleaned(api: Api) {
    const cleaning = cleanCluster(api, { namespace: 'shop', signal: new AbortController().signal })
    await clock.tickAsync(20_000)
    const [found, ...others] = (await cleaning).leftovers
    assert.deepEqual(others, [])
    return found!
  }

  it('says "removed" of what is gone, at once or a moment later, or replaced by another of its name', async () => {
    for (const looks of [['gone'], ['there', 'there', 'gone'], ['another']] as const) {
      const { action, reason } = await cleaned(cluster([], [...looks]))
      assert.equal(action, 'removed')
      assert.equal(reason, 'its Job is gone, and the cluster did not remove it')
    }
  })

  it('says what a deleted object that stays waits for', async () => {
    const held = await cleaned(cluster(['shop.example/hold'], ['there']))
    assert.equal(held.action, 'removing')
    assert.match(held.reason, /; it is deleted, and waits for shop\.example\/hold$/)
    const stuck = await cleaned(cluster([], ['there']))
    assert.match(stuck.reason, /; it is deleted, and its node has not ended it yet$/)
  })

  it('looks in the namespace of the agents too', async () => {
    const api = cluster([], ['gone'])
    const asked: string[] = []
    const { pages } = api
    api.pages = <T>(request: ApiRequest) => {
      asked.push(request.path)
      return pages<T>(request)
    }
    const agent = { namespace: 'tools' }
    await cleanCluster(api, { namespace: 'shop', agent, dryRun: true, signal: new AbortController().signal })
    assert.deepEqual(asked, [
      '/apis/batch/v1/namespaces/shop/jobs',
      '/api/v1/namespaces/shop/pods',
      '/apis/batch/v1/namespaces/tools/jobs',
      '/api/v1/namespaces/tools/pods',
    ])
  })
})

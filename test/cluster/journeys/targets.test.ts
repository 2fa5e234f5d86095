// What can be stood in for, as listTargets and describeTarget tell it of a real cluster: every kind, its readiness, and the way there.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Target } from '../../../protocol/rpc/targets.ts'
import { listClusterTargets } from '../../../server/kubernetes/targets/list.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Answer, type RawServer, startRawServer } from '../../stage/raw-server.ts'
import { until } from '../run.ts'
import { allKinds, makeAllKinds } from '../stage/all-kinds.ts'
import { openTestApi } from '../stage/channel-pod.ts'
import { ClientUsers } from '../stage/client-users.ts'
import { freshNamespace, kubectl } from '../stage/kubectl.ts'
import { clusterEnvironment } from '../stage/session-run.ts'

describe('the targets of a cluster', () => {
  const mark = markRun()
  let namespace: string
  let remove: () => Promise<void>
  let made: { remove(): Promise<void> } | undefined
  let server: RawServer
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('targets'))
    made = await makeAllKinds(namespace)
  })
  after(async () => {
    await made?.remove()
    await remove?.()
  })
  beforeEach(async () => {
    server = startRawServer(['--stdio'], clusterEnvironment(mark.environment))
    await server.client.ask('initialize', {})
  })
  afterEach(async () => {
    server.child.stdin?.end()
    await server.ended
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const ask = async (method: string, params: object) => {
    const { result, error } = await server.client.ask(method, { namespace, ...params })
    assert.equal(error, undefined, JSON.stringify(error))
    return result as Record<string, unknown>
  }
  const list = async (params: object = {}) => (await ask('listTargets', params)).targets as Target[]
  const names = async (params: object) => (await list(params)).map(({ target }) => target)

  it('are listed, each kind with its readiness, pods, ports and containers', async () => {
    const found = new Map((await list()).map(each => [each.target, each]))
    const counts = { web: 2, log: 2, front: 2 } as Record<string, number>
    for (const [kind, name] of Object.entries(allKinds)) {
      const number = counts[name] ?? 1
      assert.deepEqual(found.get(`${kind}/${name}`), {
        ...{ target: `${kind}/${name}`, kind, name, namespace, ready: true },
        ports: name === 'db' ? [8080, 9090] : [8080],
        containers: name === 'db' ? ['main', 'istio-proxy', 'rpc'] : ['main'],
        ...(kind === 'pod' ? {} : { pods: { ready: number, total: number } }),
      })
    }
    const kinds = [...found.values()].map(({ kind }) => kind)
    assert.deepEqual([...new Set(kinds)], Object.keys(allKinds).sort(), 'sorted by kind')
    const pods = await kubectl(['-n', namespace, 'get', 'pods', '-o', 'name'])
    const listed = [...found.keys()].filter(target => target.startsWith('pod/'))
    assert.deepEqual(listed, pods.split('\n').sort())
  })

  it('leave out the replica sets that a deployment or a rollout owns, unless they are asked for', async () => {
    assert.deepEqual(await names({ name: 'canary-' }), [await podOf('canary')])
    const asked = await names({ kinds: ['replicaset'] })
    assert.equal(asked.length, 3)
    assert.ok(asked.includes('replicaset/canary-6f9d') && asked.includes('replicaset/old'))
  })

  it('that can have no pod say why', async () => {
    const services = await list({ kinds: ['service'] })
    const reasons = Object.fromEntries(services.map(({ name, ready, reason }) => [name, [ready, reason]]))
    assert.deepEqual(reasons, {
      elsewhere: [false, 'it selects no pods: it is another name of "db.example.com"'],
      front: [true, undefined],
      manual: [false, 'it selects no pods: it has no selector'],
    })
  })

  it('are filtered by kind, by name and by labels, and found in all namespaces', async () => {
    assert.deepEqual(await names({ kinds: ['statefulset', 'cronjob'] }), [
      'cronjob/nightly',
      'statefulset/db',
    ])
    assert.deepEqual(await names({ name: 'ing', kinds: ['pod'] }), ['pod/single'])
    assert.deepEqual(await names({ labels: 'tier=edge' }), [
      ...['deployment/web', 'pod/single', 'service/front'],
    ])
    assert.deepEqual(await names({ labels: 'tier in (edge),app!=single', kinds: ['pod'] }), [])
    assert.deepEqual(await names({ labels: 'app=log', kinds: ['daemonset', 'pod'] }), await podsOf('log'))
    const everywhere = await list({ allNamespaces: true, labels: 'tier=edge' })
    assert.deepEqual(
      everywhere.filter(each => each.namespace === namespace).map(({ target }) => target),
      ['deployment/web', 'pod/single', 'service/front'],
    )
    const { error } = await server.client.ask('listTargets', { namespace, labels: 'a in' })
    assert.equal(error?.data.kind, 'selector-invalid')
  })

  it('are described, each kind with the pods that are its own and the one that a session would take', async () => {
    for (const [kind, name] of Object.entries(allKinds)) {
      const target = `${kind}/${name}`
      const {
        target: told,
        pods,
        hostname,
        needs,
        sidecar,
      } = (await ask('describeTarget', {
        target,
      })) as Described
      assert.deepEqual([told.target, told.ready, told.reason], [target, true, undefined])
      const own = await podsOf(kind === 'service' ? 'web' : name)
      assert.deepEqual(pods.map(pod => `pod/${pod.name}`).sort(), own)
      const chosen = pods.filter(pod => pod.chosen)
      assert.deepEqual([chosen.length, pods[0]?.name], [1, hostname])
      assert.deepEqual(
        needs.filter(({ granted }) => !granted),
        [],
      )
      const get = needs.find(({ what }) => what.startsWith('get ') && !what.includes('portforward'))
      assert.match(get?.what ?? '', new RegExp(`^get ${kind}s\\b`), 'the right to read it')
      assert.equal(sidecar, name === 'db' ? 'istio' : undefined)
    }
  })

  it('are described with ports, probes, the mesh sidecar, and the container that is no sidecar as the chosen one', async () => {
    const { pods } = (await ask('describeTarget', { target: 'statefulset/db' })) as Described
    const image = 'localhost/node:20'
    const runs = { image, ready: true, restarts: 0 }
    assert.deepEqual(pods[0]?.containers, [
      {
        ...{ name: 'istio-proxy', ...runs, chosen: false, sidecar: 'istio', probes: [] },
        ports: [{ port: 15090, protocol: 'TCP' }],
      },
      {
        ...{ name: 'main', ...runs, chosen: true },
        ports: [{ port: 8080, protocol: 'TCP', name: 'http' }],
        probes: [
          { probe: 'liveness', by: 'tcp', port: 8080 },
          { probe: 'readiness', by: 'http', port: 8080, path: '/healthz' },
          { probe: 'startup', by: 'exec' },
        ],
      },
      {
        ...{ name: 'rpc', ...runs, chosen: false },
        ports: [
          { port: 9090, protocol: 'TCP' },
          { port: 9091, protocol: 'UDP' },
        ],
        probes: [{ probe: 'liveness', by: 'grpc', port: 9090 }],
      },
    ])
  })

  it('come whole and once each over many pages', async () => {
    const api = await openTestApi()
    try {
      let pages = 0
      const inPages: typeof api = {
        ...api,
        async *pages<T>(request: Parameters<typeof api.pages>[0]) {
          for await (const page of api.pages<T>({ ...request, pageSize: 2 })) {
            assert.ok(page.length <= 2)
            pages += 1
            yield page
          }
        },
      }
      const signal = AbortSignal.timeout(30_000)
      const paged = await listClusterTargets(inPages, { namespace, signal })
      const whole = await listClusterTargets(api, { namespace, signal })
      assert.deepEqual(paged, whole)
      // Ten pods alone are five.
      assert.ok(pages >= 12, `${pages} pages`)
    } finally {
      api.close()
    }
  })

  it('are sent in parts to a client that asks for them, and the answer is then empty', async () => {
    const whole = await list()
    const { targets, warnings } = await ask('listTargets', { partialResultToken: 'parts' })
    assert.deepEqual([targets, warnings], [[], []])
    const parts = server.client.received.filter(isPart).flatMap(({ params }) => partOf(params).targets)
    const sorted = (all: readonly Target[]) => [...all].map(each => JSON.stringify(each, keys)).sort()
    assert.deepEqual(sorted(parts), sorted(whole))
  })

  it('are no longer asked for when the request is cancelled, which is answered with -32800, once', async () => {
    const open = new Set<Socket>()
    const silent = createServer(socket => {
      open.add(socket.on('error', () => {}).on('close', () => open.delete(socket)))
      socket.resume()
    }).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const users = await ClientUsers.make()
    try {
      const { port } = silent.address() as AddressInfo
      const kubeconfig = users.file({ cluster: { server: `https://127.0.0.1:${port}` } })
      server.client.send({ id: 'list', method: 'listTargets', params: { namespace, kubeconfig } })
      await until('the requests', 10_000, async () => open.size > 0)
      server.client.send({ method: '$/cancelRequest', params: { id: 'list' } })
      const { error } = await server.client.until('the answer', ({ id }) => id === 'list', 3_000)
      assert.equal(error?.code, -32800)
      await until('the end of the requests', 5_000, async () => open.size === 0)
      assert.equal((await names({ kinds: ['service'] })).length, 3, 'the server goes on')
      assert.ok(!server.client.received.some(({ id }) => id === 'list'))
      assert.equal(open.size, 0)
    } finally {
      for (const socket of open) socket.destroy()
      silent.close()
      users.end()
    }
  })

  it('that came before a cancellation are the last: no page is read after it', async () => {
    const api = await openTestApi()
    const cancelling = new AbortController()
    const reason = new Error('the user changed their mind')
    const seen: string[] = []
    let pagesAfter = 0
    const byOne: typeof api = {
      ...api,
      async *pages<T>(request: Parameters<typeof api.pages>[0]) {
        for await (const page of api.pages<T>({ ...request, pageSize: 1 })) {
          if (cancelling.signal.aborted) pagesAfter += 1
          yield page
        }
      },
    }
    try {
      const listing = listClusterTargets(byOne, {
        ...{ namespace, kinds: ['pod'], signal: cancelling.signal },
        onPart({ target }) {
          seen.push(target)
          if (seen.length === 3) cancelling.abort(reason)
        },
      })
      await assert.rejects(listing, reason)
      assert.deepEqual([seen.length, pagesAfter], [3, 0])
    } finally {
      api.close()
    }
  })

  const podsOf = async (app: string): Promise<string[]> => {
    const found = await kubectl(['-n', namespace, 'get', 'pods', '-l', `app=${app}`, '-o', 'name'])
    return found.split('\n').sort()
  }
  const podOf = async (app: string) => (await podsOf(app))[0]!
})

type Described = {
  target: Target
  hostname: string
  sidecar?: string
  needs: { what: string; granted: boolean }[]
  pods: { name: string; chosen: boolean; containers: object[] }[]
}

const isPart = ({ method, params }: Answer) => method === '$/progress' && params?.token === 'parts'
const partOf = (params: Answer['params']) => params?.value as { targets: Target[] }
const keys = ['target', 'ready', 'reason', 'pods', 'total', 'namespace']

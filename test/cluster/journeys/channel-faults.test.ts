// How a port-forward fails, on the real API server: refusals in their own sentences, cuts that are noticed, nothing that stays behind.
import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../../protocol/errors.ts'
import { portForward } from '../../../server/kubernetes/channel/port-forward.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { until } from '../run.ts'
import {
  type ChannelPod,
  echoPort,
  openTestApi,
  orderPort,
  podObject,
  startChannelPod,
} from '../stage/channel-pod.ts'
import { type CuttingProxy, startCuttingProxy } from '../stage/cutting-proxy.ts'
import { apply, kubectl, podsReady, waitForObject } from '../stage/kubectl.ts'
import { type User, userWith } from '../stage/users.ts'

const never = new AbortController().signal

describe('a port-forward that cannot be', () => {
  let pod: ChannelPod
  const users: User[] = []
  before(async () => {
    pod = await startChannelPod()
  })
  after(async () => {
    for (const user of users) await user.remove()
    await pod?.end()
  })

  const sentenceOf = async (name: string, port = 80, namespace = pod.namespace) => {
    const opening = portForward(pod.api, { namespace, pod: name, port, signal: never })
    const connection = await opening.catch((error: Failure) => error)
    if (connection instanceof Failure) return `${connection.kind}: ${connection.message}`
    await closing(connection)
    const { kind, message } = connection.errored as Failure
    return `${kind}: ${message}`
  }
  const object = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: pod.namespace },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'localhost/node:20', command: ['true'], imagePullPolicy: 'Never' }],
      ...spec,
    },
  })

  it('says that nothing listens on the port, with the text of the node as detail', async () => {
    const connection = await pod.connect(9)
    await closing(connection)
    const failure = connection.errored as Failure
    assert.equal(failure.message, 'Cannot forward port 9 of pod "channel": nothing listens on port 9 in it')
    assert.match(failure.data.detail ?? '', /connection refused/)
  })

  it('says that there is no such pod, or no such namespace', async () => {
    const sentence = (namespace: string) =>
      `channel-failed: Cannot forward port 80 of pod "nobody": there is no such pod in namespace "${namespace}"`
    assert.equal(await sentenceOf('nobody'), sentence(pod.namespace))
    assert.equal(await sentenceOf('nobody', 80, 'no-such-namespace'), sentence('no-such-namespace'))
  })

  it('says that the pod is on no node, or does not run on its node', async () => {
    await apply(object('waiting', { nodeSelector: { there: 'is-none' } }), object('over', {}))
    await waitForObject(
      'the pod to be over',
      ['-n', pod.namespace, 'pod', 'over'],
      found => found?.status.phase === 'Succeeded',
    )
    const begin = 'channel-failed: Cannot forward port 80 of pod'
    assert.equal(await sentenceOf('waiting'), `${begin} "waiting": it is on no node yet`)
    assert.equal(await sentenceOf('over'), `${begin} "over": it does not run on its node`)
  })

  it('asks for the verb "get" on pods/portforward, and "create" alone does not do', async () => {
    const attempt = async (verbs: string[]) => {
      const rules = [{ apiGroups: [''], resources: ['pods/portforward'], verbs }]
      const user = await userWith({ namespace: pod.namespace, rules })
      users.push(user)
      const api = await openTestApi(user.kubeconfig)
      const options = { namespace: pod.namespace, pod: pod.pod, port: echoPort, signal: never }
      const connection = await portForward(api, options).catch((error: Failure) => error)
      if (!(connection instanceof Failure)) connection.destroy()
      api.close()
      return connection instanceof Failure ? `${connection.kind}: ${connection.message}` : 'connected'
    }
    assert.equal(await attempt(['get']), 'connected')
    assert.equal(await attempt(['get', 'create']), 'connected')
    assert.equal(
      await attempt(['create']),
      `cluster-forbidden: Cannot get pods/portforward in namespace "${pod.namespace}": 403, the permission is missing`,
    )
  })

  it('ends soon when the pod is deleted while it is used', async () => {
    await apply(podObject('victim', pod.namespace))
    await podsReady(pod.namespace, 'app=channel')
    const connection = await portForward(pod.api, {
      namespace: pod.namespace,
      pod: 'victim',
      port: echoPort,
      signal: never,
    })
    connection.on('error', () => {})
    connection.write('here')
    await once(connection, 'data')
    const gone = closing(connection)
    await kubectl(['-n', pod.namespace, 'delete', 'pod', 'victim', '--wait=false'])
    await within('the connection to end', 20_000, gone)
  })
})

describe('a port-forward that is cut', () => {
  let pod: ChannelPod
  let proxy: CuttingProxy
  let api: Api
  before(async () => {
    pod = await startChannelPod()
    proxy = await startCuttingProxy()
    api = await openTestApi(proxy.kubeconfig)
  })
  after(async () => {
    api?.close()
    await proxy?.end()
    await pod?.end()
  })
  afterEach(() => proxy.restore())

  const open = async (port: number, signal = never) => {
    const connection = await portForward(api, { namespace: pod.namespace, pod: pod.pod, port, signal })
    return connection.on('error', () => {})
  }

  for (const [how, cut] of [
    ['by a reset', () => proxy.reset()],
    ['by a FIN', () => proxy.finish()],
  ] as const)
    it(`${how} in the middle gives what came before and then an error, never an end`, async () => {
      const connection = await open(orderPort)
      connection.write('{"endless":true,"seed":"c"}\n')
      let bytes = 0
      connection.on('data', chunk => {
        bytes += chunk.length
        if (bytes > 3_000_000) cut()
      })
      await within('the cut to be told', 5_000, closing(connection))
      assert.match(String(connection.errored), /the connection was cut$/)
      assert.equal(connection.readableEnded, false)
    })

  it('silently is noticed within 26 s, idle or reading', async () => {
    const idle = await open(echoPort)
    const reading = await open(orderPort)
    reading.write('{"endless":true}\n')
    reading.resume()
    await once(reading, 'data')
    proxy.silence()
    await within('both to be noticed', 26_000, Promise.all([closing(idle), closing(reading)]))
    for (const { errored } of [idle, reading])
      assert.match(String(errored), /nothing came for \d+ s, not even the answer to a ping$/)
  })

  it('silently while it writes is noticed within 26 s', async () => {
    const connection = await open(orderPort)
    connection.write('{"receive":1000000000000,"name":"writing"}\n')
    const chunk = Buffer.alloc(65_536)
    const write = () => {
      while (connection.write(chunk));
    }
    connection.on('drain', write)
    write()
    await until('the pod to receive', 10_000, async () => (await pod.seen('writing')).received > 1_000_000)
    proxy.silence()
    await within('the cut to be noticed', 26_000, closing(connection))
    assert.match(String(connection.errored), /nothing came for \d+ s/)
  })

  it('by nobody lives on while the pod reads nothing for a minute, and while we do not', async () => {
    const stalled = await open(orderPort)
    stalled.write('{"stall":true}\n')
    while (stalled.write(Buffer.alloc(65_536)));
    const unread = await open(orderPort)
    unread.write('{"send":50000000}\n')
    await delay(60_000)
    for (const connection of [stalled, unread])
      assert.equal(connection.destroyed, false, String(connection.errored))
    let bytes = 0
    for await (const chunk of unread) bytes += chunk.length
    assert.equal(bytes, 50_000_000)
    stalled.destroy()
  })

  it('leaves no socket and no listener when it is aborted, at whichever moment', async () => {
    for (let moment = 0; moment < 40; moment += 1) {
      const abort = new AbortController()
      const opening = open(echoPort, abort.signal)
      // 20 moments in the first turns of the event loop, then 20 in the milliseconds until it is long open.
      if (moment < 20) for (let turn = 0; turn < moment; turn += 1) await new Promise(setImmediate)
      else await delay(moment - 19)
      abort.abort()
      const connection = await opening.catch((error: unknown) => error as Failure)
      if (connection instanceof Failure) assert.equal(connection.kind, 'cancelled')
      else (connection as Duplex).destroy()
      assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
    }
    await until('the sockets to close', 5_000, async () => (proxy.open === 0 ? true : undefined))
  })

  it('leaves no socket when it is destroyed while the other end is silent', async () => {
    const connection = await open(echoPort)
    proxy.silence()
    connection.destroy()
    await within('the stream to close', 2_000, closing(connection))
    // The proxy sees it as soon as it looks again.
    proxy.restore()
    await until('the socket to close', 2_000, async () => (proxy.open === 0 ? true : undefined))
  })
})

/** Resolves when the stream is closed, by an error or not. */
function closing(connection: Duplex): Promise<void> {
  return new Promise(resolve => (connection.closed ? resolve() : connection.once('close', () => resolve())))
}

async function within(awaited: string, timeoutMs: number, promise: Promise<unknown>): Promise<void> {
  const timeout = new AbortController()
  const late = delay(timeoutMs, 'late', { signal: timeout.signal }).catch(() => 'done')
  const first = await Promise.race([promise, late])
  timeout.abort()
  assert.notEqual(first, 'late', `${awaited}, awaited for ${timeoutMs / 1000} s`)
}

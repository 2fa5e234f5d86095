// The link on a real cluster: what a cut costs, and who else can talk to an agent.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as passes } from 'node:timers/promises'
import type { Failure } from '../../../protocol/errors.ts'
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { streamTraffic, trafficEvents } from '../../../protocol/rpc/traffic.ts'
import { portForward } from '../../../server/kubernetes/channel/port-forward.ts'
import { connectLink } from '../../../server/link/connect.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import type { Lines } from '../../stage/lines.ts'
import { openTestApi } from '../stage/channel-pod.ts'
import { type CuttingProxy, startCuttingProxy } from '../stage/cutting-proxy.ts'
import { apply, kubectl, objectOf, podsReady } from '../stage/kubectl.ts'
import {
  agentImage,
  clusterEnvironment,
  configIn,
  isRequest,
  requestsOf,
  serveShop,
} from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { agentPods, untilNoAgents } from '../stage/session-stand.ts'
import { userWith } from '../stage/users.ts'

type Linked = {
  proxy: CuttingProxy
  backend: Backend
  sessionId: string
  output: Lines
  /** Ends the session as a client does. */
  stop(): Promise<void>
  /** Kills what is left. */
  end(): Promise<void>
}
type Cut = { name: string; begin: 'silence' | 'refuse'; seconds: number }

/** A session of its own, whose way to the API server is a proxy of its own. */
async function link(shop: Shop, environment: NodeJS.ProcessEnv): Promise<Linked> {
  const proxy = await startCuttingProxy()
  const backend = await startBackend(clusterEnvironment(environment, { KUBECONFIG: proxy.kubeconfig }))
  const end = async () => {
    backend.child.kill('SIGKILL')
    await proxy.end()
  }
  try {
    const config = configIn(shop.namespace)
    const { sessionId } = await backend.connection.request(startSession, { target: shop.target, config })
    const { processId } = await backend.connection.request(launch, { sessionId, command: serveShop })
    await backend.messages.until('the capture', line => line === 'Port 8080 of the pod is captured', 60_000)
    return {
      ...{ proxy, backend, sessionId, end, output: backend.output(processId) },
      async stop() {
        await backend.connection.request(stopSession, { sessionId })
        await backend.stop()
      },
    }
  } catch (thrown) {
    await end()
    throw thrown
  }
}

/** How many of the lines did not come, and the first and last of them. */
function missing(served: readonly string[], came: readonly string[]): string {
  const all = new Set(came)
  const lines = served.filter(line => !all.has(line))
  return `${lines.length} of ${served.length} requests did not come, ${lines[0]} to ${lines.at(-1)}`
}

describe('a link to an agent', () => {
  const mark = markRun()
  const linked: Linked[] = []
  let shop: Shop
  before(async () => {
    shop = await startShop('link')
  })
  after(() => shop?.end())
  afterEach(async () => {
    for (const { end } of linked.splice(0)) await end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const cuts: readonly Cut[] = [
    { name: '1 s of silence', begin: 'silence', seconds: 1 },
    { name: '30 s of silence', begin: 'silence', seconds: 30 },
    { name: '59 s of silence', begin: 'silence', seconds: 59 },
    { name: 'a cut of 1 s', begin: 'refuse', seconds: 1 },
    { name: 'a cut of 30 s', begin: 'refuse', seconds: 30 },
    { name: 'a cut of 59 s', begin: 'refuse', seconds: 59 },
  ]

  it('goes on after 1, 30 and 59 s of silence or of refused connections, and no byte is lost or doubled', async () => {
    const links: Linked[] = []
    for (const _ of cuts) {
      links.push(await link(shop, mark.environment))
      linked.push(links.at(-1)!)
    }
    const before = new Set(requestsOf(await shop.served()))
    // 20 requests a second for as long as the longest cut and what it takes to come back.
    const calls = shop.call(4 * 5 * 85, 4, { everyMs: 200 })
    await Promise.all(links.map(({ output }) => output.untilCount('requests', 10, isRequest)))
    await Promise.all(
      cuts.map(async ({ begin, seconds }, index) => {
        const { proxy } = links[index]!
        proxy[begin]()
        await passes(seconds * 1000)
        proxy.restore()
      }),
    )
    assert.deepEqual(await calls, { answered: 1700, wrong: 0, failed: 0, errors: [] })
    const served = requestsOf(await shop.served()).filter(line => !before.has(line))
    const outcomes = links.map(async ({ output, backend, stop }, index) => {
      const { name } = cuts[index]!
      await output.untilCount('requests', served.length, isRequest, 30_000).catch(() => {
        const said = [
          ...backend.statuses.slice(-3).map(status => JSON.stringify(status)),
          ...backend.messages.all,
        ]
        assert.fail(`${name}: ${missing(served, requestsOf(output.all))}; ${said.join('\n')}`)
      })
      assert.deepEqual(requestsOf(output.all), served, name)
      await stop()
    })
    await Promise.all(outcomes)
    await untilNoAgents(shop.namespace)
  }).timeout(240_000)

  it('that is away longer than the grace time ends what it carried with that reason, and another agent goes on', async () => {
    const one = await link(shop, mark.environment)
    linked.push(one)
    const { backend, output, proxy } = one
    const [first] = await agentPods(shop.namespace)
    const { trafficId } = await backend.connection.request(streamTraffic, {
      sessionId: one.sessionId,
      credit: 100_000,
    })
    const ends: string[] = []
    backend.connection.on(trafficEvents, params => {
      if (params.trafficId !== trafficId) return
      for (const event of params.events) if (event.event === 'closed') ends.push(JSON.stringify(event))
    })
    // Kept connections with a request now and then: open when the link goes, and when it comes back.
    const calls = shop.call(4 * 45, 4, { everyMs: 2_500 })
    await output.untilCount('requests', 4, isRequest)
    proxy.refuse()
    await backend.untilStatus('the reconnecting', ({ state }) => state === 'reconnecting', 30_000)
    await passes(65_000)
    proxy.restore()
    const before = backend.statuses.length
    await backend.untilStatus(
      'the session running again',
      status => status.state === 'running' && backend.statuses.indexOf(status) > before,
      60_000,
    )
    const seen = output.all.filter(isRequest).length
    await output.untilCount('requests', seen + 4, isRequest, 30_000)
    // The first may still wait for a server.
    const names = (await agentPods(shop.namespace)).map(({ name }) => name)
    assert.ok(
      names.some(name => name !== first!.name),
      names.join(),
    )
    assert.deepEqual(
      ends.filter(end => /"reason"/.test(end)).length > 0,
      true,
      `connections end with a reason: ${ends.join()}`,
    )
    assert.deepEqual(await calls, { answered: 180, wrong: 0, failed: 0, errors: [] })
    await one.stop()
    await untilNoAgents(shop.namespace)
  }).timeout(240_000)
})

describe('an agent gives nothing to', () => {
  const mark = markRun()
  let shop: Shop
  let one: Linked
  let place: { address: string; node: string; pod: string; port: number }
  before(async () => {
    shop = await startShop('strangers', { node: 'node-a', callersNode: 'node-b' })
    await apply(strangerOn('node-a', shop.namespace))
    await podsReady(shop.namespace, 'app=stranger')
    one = await link(shop, mark.environment)
    const [agent] = await agentPods(shop.namespace)
    const pod = await objectOf(['-n', shop.namespace, 'pod', agent!.name])
    const port = Number(pod.spec.containers[0].command.at(-2))
    assert.ok(port > 0, JSON.stringify(pod.spec.containers[0].command.slice(3)))
    place = { address: agent!.address, node: pod.status.hostIP, pod: agent!.name, port }
  })
  after(async () => {
    await one?.stop()
    await one?.end()
    await shop?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })
  afterEach(async () => {
    // The session noticed nothing.
    const before = one.output.all.filter(isRequest).length
    assert.equal((await shop.call(10, 2)).answered, 10)
    await one.output.untilCount('requests', before + 10, isRequest)
    assert.deepEqual(
      one.backend.statuses.map(({ state }) => state),
      ['starting', 'running'],
    )
  })

  /** How a connection from a container to these addresses ends: an errno, or what was received. */
  const triedFrom = (container: readonly string[], address: string) =>
    kubectl([
      ...['-n', shop.namespace, 'exec', ...container, '--'],
      ...['node', '-e', tryToConnect, address, String(place.port)],
    ])

  it('another pod, on another node or on its own, at the address of the agent’s pod or of its node', async () => {
    for (const pod of ['callers', 'stranger'])
      for (const address of [place.address, place.node])
        assert.equal(await triedFrom([pod], address), 'ECONNREFUSED', `${pod} to ${address}`)
  })

  it('a container of the target', async () => {
    const [pod] = await shop.pods()
    for (const address of ['127.0.0.1', '::1', place.address])
      assert.match(await triedFrom([pod!.name, '-c', 'shop'], address), /^ECONNREFUSED$/, address)
  })

  it('a user who may forward ports and read every object, but lacks the key', async () => {
    const rules = [
      { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['create'] },
    ]
    const user = await userWith({ namespace: shop.namespace, rules })
    const api = await openTestApi(user.kubeconfig)
    try {
      const dial = (signal: AbortSignal) =>
        portForward(api, { namespace: shop.namespace, pod: place.pod, port: place.port, signal })
      const heard: unknown[] = []
      const stranger = connectLink({
        dial,
        session: one.sessionId,
        privateKey: generateKeyPairSync('ed25519').privateKey,
        graceMs: 10_000,
        onControl: value => heard.push(value),
        onOpen: () => heard.push('a stream'),
        onState: () => {},
      })
      const refusal = await stranger.ready.catch((failure: Failure) => failure)
      assert.equal(refusal?.kind, 'link-refused', String(refusal))
      for (const words of ['GET / HTTP/1.1\r\n\r\n', '\0'.repeat(1000), '{"signature":"00"}\n', '']) {
        const connection = await dial(AbortSignal.timeout(20_000))
        connection.on('error', () => {})
        connection.on('data', part => heard.push(part))
        connection.end(words)
        await once(connection, 'close', { signal: AbortSignal.timeout(20_000) })
      }
      // A hello with a nonce of its own is all that anyone is told.
      const told = Buffer.concat(heard.filter(part => Buffer.isBuffer(part))).toString('latin1')
      assert.deepEqual(
        heard.filter(part => !Buffer.isBuffer(part)),
        [],
      )
      assert.doesNotMatch(told, /SHOP_REGION|\/loop|environment/)
    } finally {
      api.close()
      await user.remove()
    }
  })
})

function strangerOn(node: string, namespace: string): object {
  const command = ['node', '-e', 'setInterval(() => {}, 1 << 30)']
  const container = { name: 'stranger', image: agentImage, imagePullPolicy: 'IfNotPresent', command }
  const spec = { nodeName: node, terminationGracePeriodSeconds: 0, containers: [container] }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'stranger', namespace, labels: { app: 'stranger' } },
    spec,
  }
}

const tryToConnect = `
const [host, port] = process.argv.slice(1)
let text = ''
const socket = require('node:net').connect({ host, port: Number(port) }, () => socket.end('hello'))
socket.setTimeout(5000, () => socket.destroy(new Error('silent')))
socket.on('data', part => { text += part }).on('error', error => console.log(error.code ?? error.message)).on('end', () => console.log(text))`

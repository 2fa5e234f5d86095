// Connections of a process while the link to its pod is away: they go on, new ones wait for it and not for long, and what is lost is reset.
import assert from 'node:assert/strict'
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import type { Lines } from '../../stage/lines.ts'
import { programOf } from '../../stage/pod.ts'
import { type CuttingProxy, startCuttingProxy } from '../stage/cutting-proxy.ts'
import { apply, freshNamespace, objectOf, podsReady } from '../stage/kubectl.ts'
import { clusterEnvironment, configIn } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const echo = "require('net').createServer(socket => socket.on('error', () => {}).pipe(socket)).listen(7)"

describe('a connection of a process', () => {
  const mark = markRun()
  let namespace: string
  let remove: () => Promise<void>
  let proxy: CuttingProxy
  let backend: Backend
  let sessionId: string
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('outgoing-link'))
    await apply(...['target', 'echo'].map(pod))
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo', namespace },
      spec: { selector: { app: 'echo' }, ports: [{ port: 7 }] },
    })
    await podsReady(namespace, 'part=stage')
  })
  after(() => remove?.())
  beforeEach(async () => {
    proxy = await startCuttingProxy()
    backend = await startBackend(clusterEnvironment(mark.environment, { KUBECONFIG: proxy.kubeconfig }))
    const config = configIn(namespace)
    ;({ sessionId } = await backend.connection.request(startSession, { target: 'pod/target', config }))
  })
  afterEach(async () => {
    proxy.restore()
    await backend.connection.request(stopSession, { sessionId })
    await backend.stop()
    await proxy.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    await untilNoAgents(namespace)
  })

  const pod = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name, part: 'stage' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        { name, image: 'localhost/node:20', imagePullPolicy: 'IfNotPresent', command: ['node', '-e', echo] },
      ],
    },
  })

  async function talk(seconds: number): Promise<Lines> {
    const { spec } = await objectOf(['-n', namespace, 'service', 'echo'])
    const words = [spec.clusterIP, '7', 'echo', String(seconds)]
    const command = [process.execPath, programOf('talk-on.mjs'), ...words]
    const { processId } = await backend.connection.request(launch, { sessionId, command })
    const output = backend.output(processId)
    await output.until('the first connection', line => line.startsWith('probe connected'))
    return output
  }

  it('goes on when the link was away, while new ones are refused after 10 s, and later ones are made again', async () => {
    const output = await talk(60)
    proxy.silence()
    await output.until('a refusal', line => line === 'probe ENETUNREACH after 10 s', 60_000)
    await output.until('no answer', line => /^lookup EAI_AGAIN after \d\d s$/.test(line), 60_000)
    const before = output.all.length
    proxy.restore()
    await output.until('the end', line => line.startsWith('talk'), 90_000)
    assert.equal(
      output.all.find(line => line.startsWith('talk')),
      'talk ended, all came back',
    )
    const later = output.all.slice(before)
    for (const line of ['probe connected after 0 s', 'lookup found after 0 s'])
      assert.ok(later.includes(line), `${line} is not in ${later.join(', ')}`)
  }).timeout(180_000)

  it('that the link has lost for good is reset, and the same process connects again when another agent is there', async () => {
    const output = await talk(400)
    proxy.refuse()
    await output.until('the reset', line => line === 'talk ECONNRESET', 150_000)
    const before = output.all.length
    proxy.restore()
    const isNew = (line: string) =>
      line === 'probe connected after 0 s' && output.all.slice(before).includes(line)
    await output.until('another connection', isNew, 90_000)
  }).timeout(300_000)
})

// A session of labels, or of an object that is deleted, on a real cluster: it waits for what may come back, and says what does not.
import assert from 'node:assert/strict'
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { until } from '../run.ts'
import { kubectl } from '../stage/kubectl.ts'
import { clusterEnvironment, configIn, isRequest, serveShop } from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const mark = markRun()
const isCapture = (line: string) => line === 'Port 8080 of the pod is captured'

describe('a session whose pods are all gone', () => {
  let shop: Shop
  let backend: Backend
  let sessionId: string
  let processId: string
  beforeEach(async () => {
    shop = await startShop('labels')
    backend = await startBackend(clusterEnvironment(mark.environment))
  })
  afterEach(async () => {
    await backend?.stop()
    await untilNoAgents(shop.namespace)
    await shop?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function start(target: string): Promise<void> {
    ;({ sessionId } = await backend.connection.request(startSession, {
      target,
      config: configIn(shop.namespace),
    }))
    ;({ processId } = await backend.connection.request(launch, { sessionId, command: serveShop }))
    await backend.messages.until('the capture', isCapture)
  }

  it('goes on in the next pod that has its labels', async () => {
    await start('label/app=shop')
    const statuses = backend.statuses.length
    const scale = (replicas: number) =>
      kubectl(['-n', shop.namespace, 'scale', 'deployment/shop', `--replicas=${replicas}`])
    await scale(0)
    await until('the pod to be gone', 30_000, async () => {
      const left = await kubectl(['-n', shop.namespace, 'get', 'pods', '-l', 'app=shop', '-o', 'name'])
      return left === ''
    })
    // The first attempt from here on finds no pod; the second shows that it was not the last.
    const seen = backend.statuses.length
    await backend.untilStatus(
      'another attempt after one without any pod',
      status => backend.statuses.indexOf(status) > seen && status.state === 'reconnecting',
      60_000,
    )
    await scale(1)
    await backend.untilStatus(
      'the session running again',
      status => status.state === 'running' && backend.statuses.indexOf(status) >= statuses,
      90_000,
    )
    await backend.messages.untilCount('captures', 2, isCapture)
    assert.equal((await shop.call(20, 2)).answered, 20)
    await backend.output(processId).untilCount('requests at the process', 20, isRequest)
  }).timeout(180_000)

  it('ends when its deployment was deleted, and says that it no longer exists', async () => {
    await start('deployment/shop')
    await kubectl(['-n', shop.namespace, 'delete', 'deployment/shop', '--wait=false'])
    await backend.untilStatus(
      'the reason of the end',
      ({ state, reason }) => state === 'stopped' && reason === 'deployment/shop no longer exists',
      90_000,
    )
  }).timeout(180_000)
})

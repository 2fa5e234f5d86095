// A session stays with its target while the target's pods come and go.
import assert from 'node:assert/strict'
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { kubectl } from '../stage/kubectl.ts'
import { clusterEnvironment, configIn, isRequest, serveShop } from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const mark = markRun()
const isCapture = (line: string) => line === 'Port 8080 of the pod is captured'

describe('a session goes on, with its command', () => {
  let shop: Shop
  let backend: Backend
  let sessionId: string
  let processId: string
  beforeEach(async () => {
    shop = await startShop('follow')
    backend = await startBackend(clusterEnvironment(mark.environment))
    const config = configIn(shop.namespace)
    ;({ sessionId } = await backend.connection.request(startSession, { target: shop.target, config }))
    ;({ processId } = await backend.connection.request(launch, { sessionId, command: serveShop }))
    await backend.messages.until('the capture', isCapture)
    await assertRequestsArrive()
  })
  afterEach(async () => {
    backend?.child.kill('SIGKILL')
    await shop?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  const isRunning = ({ state }: { state: string }) => state === 'running'
  const output = () => backend.output(processId)

  async function assertRequestsArrive(): Promise<void> {
    const before = output().all.filter(isRequest).length
    const { answered, failed } = await shop.call(20, 2)
    assert.deepEqual([answered, failed], [20, 0])
    await output().untilCount('requests at the process', before + 20, isRequest)
  }

  /** It holds a target again: it said so, requests arrive, and nothing is left of the agent before. */
  async function assertWentOn(where: RegExp, statusesBefore: number): Promise<void> {
    await backend.messages.until('the news', line => where.test(line), 90_000)
    await backend.untilStatus(
      'the session running again',
      status => isRunning(status) && backend.statuses.indexOf(status) >= statusesBefore,
      90_000,
    )
    await backend.messages.untilCount('captures', 2, isCapture)
    await assertRequestsArrive()
    assert.deepEqual(
      output().all.filter(line => line.startsWith('listening')),
      ['listening 8080'],
      'the command was never started again',
    )
    await backend.connection.request(stopSession, { sessionId })
    await backend.stop()
    await untilNoAgents(shop.namespace)
  }

  it("in the deployment's next pod after a rollout", async () => {
    const [before] = await shop.pods()
    const statuses = backend.statuses.length
    await kubectl(['-n', shop.namespace, 'rollout', 'restart', 'deployment/shop'])
    await kubectl(['-n', shop.namespace, 'rollout', 'status', 'deployment/shop', '--timeout=60s'], {
      timeoutMs: 70_000,
    })
    const [after] = await shop.pods()
    assert.notEqual(after!.name, before!.name)
    await assertWentOn(new RegExp(`Session ${sessionId} goes on with .*${after!.name}`), statuses)
  }).timeout(180_000)

  it('in the same pod after its container was restarted', async () => {
    const [pod] = await shop.pods()
    const statuses = backend.statuses.length
    await kubectl(['-n', shop.namespace, 'exec', pod!.name, '-c', 'shop', '--', 'kill', '1'])
    await assertWentOn(/./, statuses)
  }).timeout(180_000)

  it('after the deployment was scaled to nothing for 10 s and up again', async () => {
    const statuses = backend.statuses.length
    const scale = (replicas: number) =>
      kubectl(['-n', shop.namespace, 'scale', 'deployment/shop', `--replicas=${replicas}`])
    await scale(0)
    await backend.untilStatus('the session reconnecting', ({ state }) => state === 'reconnecting', 30_000)
    await new Promise(resolve => setTimeout(resolve, 10_000)) // how long the deployment has no pod
    await scale(1)
    await assertWentOn(/Session s1 goes on with/, statuses)
  }).timeout(180_000)
})

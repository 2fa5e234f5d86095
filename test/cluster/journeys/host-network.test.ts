// A session at a pod that uses its node's network, through which the traffic of the node's other pods passes.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { apply, objectOf, podsReady } from '../stage/kubectl.ts'
import {
  clusterEnvironment,
  isRequest,
  StandinRuns,
  serveShop,
  untilCapturedBy,
} from '../stage/session-run.ts'
import { type Shop, startShop } from '../stage/session-shop.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const node = 'node-b'

describe('a session at a pod with hostNetwork', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let shop: Shop
  let neighbour: string
  before(async () => {
    shop = await startShop('hostnet', { node, callersNode: 'node-a', podSpec: { hostNetwork: true } })
    neighbour = await startNeighbour(shop.namespace)
  })
  after(() => shop?.end())
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    await untilNoAgents(shop.namespace)
  })

  it("mirrors what is for its node, and nothing that passes there to another pod's same port", async () => {
    const run = runs.exec(shop, serveShop, { args: ['-v'] })
    await untilCapturedBy(run)
    const [pod] = await shop.pods()
    assert.equal((await shop.call(20, 2, { address: neighbour })).answered, 20)
    // What passed before these is told by then, if it is ever told.
    assert.equal((await shop.call(20, 2, { address: pod!.address })).answered, 20)
    await run.stdout.untilCount('the requests of the node at the program', 20, isRequest)
    run.child.kill('SIGTERM')
    assert.equal(await run.code, 0, run.stderr.all.join('\n'))
    const callers = run.stdout.all.filter(isRequest)
    assert.equal(callers.length, 20, callers.join('\n'))
  }).timeout(120_000)
})

/** Another pod on the node, with a network of its own, that serves the same port; its address. */
async function startNeighbour(namespace: string): Promise<string> {
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'neighbour', namespace, labels: { app: 'neighbour' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      nodeSelector: { 'kubernetes.io/hostname': node },
      containers: [
        {
          ...{ name: 'web', image: 'localhost/node:20', imagePullPolicy: 'IfNotPresent' },
          command: ['node', '/programs/hash-server.mjs', '8080', '::'],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          volumeMounts: [{ name: 'programs', mountPath: '/programs' }],
        },
      ],
      volumes: [{ name: 'programs', configMap: { name: 'programs' } }],
    },
  })
  await podsReady(namespace, 'app=neighbour')
  return (await objectOf(['-n', namespace, 'pod', 'neighbour'])).status.podIP
}

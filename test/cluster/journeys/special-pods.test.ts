// Standing in for pods that are made otherwise than most, by a Job and by an ephemeral container.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Clients, startClients } from '../stage/clients.ts'
import { freshNamespace, objectOf } from '../stage/kubectl.ts'
import { clusterEnvironment, StandinRuns } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'
import { makeSpecialPods, type SpecialPod } from '../stage/special-pods.ts'
import { standIn } from '../stage/stood-in.ts'

const requests = 10
const names = ['alone', 'shared', 'read-only', 'other-user', 'host-network'] as const

describe('a pod that is made otherwise than most', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  let namespace: string
  let remove: () => Promise<void>
  let clients: Clients
  let pods: readonly SpecialPod[]
  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('special'))
    ;[clients, pods] = await Promise.all([startClients(namespace, ['http']), makeSpecialPods(namespace)])
  })
  after(async () => {
    await untilNoAgents(namespace)
    await remove?.()
  })
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function standsIn(name: string, args: readonly string[]): Promise<void> {
    const pod = pods.find(each => each.name === name)!
    const { port, address } = pod
    const target = `pod/${name}/container/main`
    const stoodIn = await standIn(runs, { namespace, target, port, variable: 'SHOP_REGION', args })
    assert.equal(stoodIn.variable, 'pod')
    const path = `/${name}-${args.length}`
    for (const body of await clients.get(`http://${address}:${port}${path}`, requests))
      assert.equal((JSON.parse(body) as { path: string }).path, path)
    await stoodIn.untilCount('requests at the program', requests, `GET ${path} HTTP/1.1\r\n`)
    await stoodIn.end()
    const said = stoodIn.run.stderr.all.join('\n')
    assert.equal(/uses the network of its node/.test(said), name === 'host-network', said)
    const { status } = await objectOf(['-n', namespace, 'pod', name])
    const restarts = status.containerStatuses.map((each: { restartCount: number }) => each.restartCount)
    assert.deepEqual([...new Set(restarts)], [0], 'its own containers run on')
  }

  for (const name of names) {
    it(`${name}: gives its traffic and environment to an agent beside it`, () => standsIn(name, []))
    it(`${name}: gives them to an agent in it`, () => standsIn(name, ['--ephemeral']))
  }
})

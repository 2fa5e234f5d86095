// The examples of schemas/rpc.md, sent to the real server in the order in which a client would: only ids, the target and the command are replaced.
import assert from 'node:assert/strict'
import { clusterMethods, type Examples, examplesFor, methodsOf } from '../stage/examples.ts'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { type Answer, type RawServer, startRawServer } from '../stage/raw-server.ts'
import { type SmallTarget, startSmallTarget } from '../stage/small-target.ts'

const run = markRun()
const ours = () => processesOf(run.value).filter(({ program }) => program !== 'other')
/** Says what it is given, so that process/output comes, and lives until it is told to end. */
const command = ['sh', '-c', 'read line; echo "$line"; exec sleep 1000']

describe('every example of the reference', () => {
  let server: RawServer
  let target: SmallTarget
  let examples: Examples
  const received = new Set<string>()
  before(async () => {
    target = await startSmallTarget(8080, { SHOP_REGION: 'eu' })
    server = startRawServer(['--stdio'], run.environment)
    server.client.onMessage = ({ method }) => {
      if (method !== undefined) received.add(method)
    }
    examples = examplesFor(server)
    examples.real.set('process/4711', target.name).set('npm start', command)
  })
  after(async () => {
    server.child.stdin?.end()
    await server.ended
    await target.end()
    await untilNothing('processes of standin', ours)
  })

  const until = (method: string, matches: (answer: Answer) => boolean = () => true) =>
    server.client.until(method, answer => answer.method === method && matches(answer), 30_000)

  it('can be sent to a server as it is, and is answered as it says', async () => {
    const { ask, tell, real } = examples
    await ask('initialize')
    tell('initialized')
    tell('$/setTrace')
    const found = await ask('listTargets')
    assert.match(JSON.stringify(found?.targets), new RegExp(`"${target.name}"`))
    await ask('describeTarget')
    real.set('s1', (await ask('startSession'))?.sessionId)
    await until('session/status', ({ params }) => params?.state === 'running')
    await until('$/progress')
    assert.match(JSON.stringify(await ask('listSessions')), /"running"/)

    assert.equal((await ask('explainConnect'))?.where, 'pod')
    real.set('v1', (await ask('streamTraffic'))?.trafficId)
    await ask('creditTraffic')
    // The capture begins after the answer; callers come until one is seen.
    const callers = setInterval(() => void fetch('http://127.0.0.1:8080/cart').catch(() => {}), 200)
    await until('traffic/events').finally(() => clearInterval(callers))
    await ask('stopTraffic')

    assert.ok(Array.isArray((await ask('prepareLaunch'))?.argv))
    real.set('p1', (await ask('launch'))?.processId)
    await ask('writeProcess')
    const output = await until('process/output')
    assert.equal(output.params?.data, 'yes\n')
    await ask('signalProcess')
    assert.equal((await until('process/exit')).params?.signal, 'SIGTERM')

    real.set('s1-f1', (await ask('forwardPort'))?.portId)
    assert.ok((await ask('reversePort'))?.portId)
    await ask('closePort')

    tell('$/cancelRequest')
    await target.end()
    await until('window/showMessage')
    await ask('stopSession')
    await until('window/logMessage')
    await ask('shutdown')
    tell('exit')
    assert.equal(await server.ended, 0)
  }).timeout(60_000)

  it('was sent, and every notification that a server may send was received', () => {
    const elsewhere: readonly string[] = clusterMethods
    const expected = methodsOf('clientToServer').filter(method => !elsewhere.includes(method))
    assert.deepEqual([...examples.sent].sort(), expected.sort())
    assert.deepEqual([...received].sort(), methodsOf('serverToClient').sort())
  })
})

// Connections of a process to services of a real cluster: what it hears and what it is refused with are what a process of the pod hears.
import assert from 'node:assert/strict'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { kubectl, objectOf } from '../stage/kubectl.ts'
import { clusterEnvironment, StandinRuns } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const namespace = 'shop'

/** Says PING to each address and port, and prints one line of JSON: the answer or the errno, and the address that it came from. */
const ping = `
const { connect } = require('node:net')
const places = JSON.parse(process.argv[1])
const told = places.map(([host, port]) => new Promise(resolve => {
  const socket = connect({ host, port }, () => socket.write('PING\\r\\n'))
  socket.setTimeout(5_000, () => socket.destroy(Object.assign(new Error(), { code: 'SILENT' })))
  socket.once('data', text => { resolve([String(text).trim(), socket.localAddress]); socket.end() })
  socket.once('error', error => resolve([error.code]))
}))
Promise.all(told).then(all => console.log(JSON.stringify(all)))`

describe('a process of a session', () => {
  const mark = markRun()
  const runs = new StandinRuns(clusterEnvironment(mark.environment))
  afterEach(async () => {
    await runs.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    if (!process.env.STANDIN_TEST_SHARED) await untilNoAgents(namespace)
  })

  const addressOf = async (service: string): Promise<string> =>
    (await objectOf(['-n', namespace, 'service', service])).spec.clusterIP

  for (const mode of ['a Job', 'an ephemeral container'])
    it(`calls what its pod can call, by service and by pod, with the pod's address and its errors, through ${mode}`, async () => {
      const cache = await addressOf('cache')
      const checkout = await addressOf('checkout')
      const { items } = JSON.parse(
        await kubectl(['-n', namespace, 'get', 'pods', '-l', 'app=cache', '-o', 'json']),
      )
      const pod = items[0].status.podIP
      const places = JSON.stringify([
        [cache, 6379],
        [pod, 6379],
        [pod, 6380],
        [checkout, 81],
        ['192.0.2.1', 80],
      ])
      const target = 'deployment/checkout'
      const args = mode === 'a Job' ? [] : ['--ephemeral']
      const run = runs.exec({ namespace, target }, [process.execPath, '-e', ping, places], { args })
      assert.equal(await run.code, 0, run.stderr.all.join('\n'))
      const ready = run.stderr.all.find(line => line.includes('standing in for'))
      const [, name = '', address = ''] = /\((\S+), (\S+?);/.exec(ready ?? '') ?? []
      const inside = ['-n', namespace, 'exec', name, '--', 'node', '-e', ping, places]
      const theirs = JSON.parse(await kubectl(inside))
      assert.deepEqual(JSON.parse(run.stdout.all[0]!), theirs)
      assert.deepEqual(theirs.slice(0, 3), [['+PONG', address], ['+PONG', address], ['ECONNREFUSED']])
    }).timeout(120_000)
})

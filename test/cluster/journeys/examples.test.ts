// The examples of schemas/rpc.md about a cluster alone, sent to the real server; test/journeys/examples.test.ts sends the others.
import assert from 'node:assert/strict'
import { clusterMethods, examplesFor } from '../../stage/examples.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { startRawServer } from '../../stage/raw-server.ts'
import { freshNamespace, kubectl } from '../stage/kubectl.ts'
import { clusterEnvironment } from '../stage/session-run.ts'

const run = markRun()

describe('every example of the reference about a cluster', () => {
  it('can be sent to a server as it is, and is answered as it says', async () => {
    const namespace = await freshNamespace('examples')
    const server = startRawServer(['--stdio'], clusterEnvironment(run.environment))
    const { real, sent, ask, tell } = examplesFor(server)
    try {
      real.set('shop', namespace.name).set('staging', await kubectl(['config', 'current-context']))
      await ask('initialize')
      tell('initialized')
      const { contexts } = (await ask('listContexts')) as { contexts: { current: boolean }[] }
      assert.ok(contexts.some(({ current }) => current))
      assert.match(JSON.stringify(await ask('listNamespaces')), new RegExp(`"${namespace.name}"`))
      assert.deepEqual(await ask('cleanCluster'), { leftovers: [] })
      for (const method of clusterMethods) assert.ok(sent.has(method), `${method} was not sent`)
      await ask('shutdown')
      tell('exit')
      assert.equal(await server.ended, 0)
    } finally {
      server.child.stdin?.end()
      await server.ended
      await namespace.remove()
      await untilNothing('processes of standin', () => processesOf(run.value))
    }
  })
})

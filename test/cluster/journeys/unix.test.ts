// Unix sockets of a real container, by path and by abstract name: in a session a program is answered, and refused, as in the container itself.
import assert from 'node:assert/strict'
import type { TypeOf } from 'io-ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { programOf } from '../../stage/pod.ts'
import { inSession } from '../stage/in-pod.ts'
import { freshNamespace } from '../stage/kubectl.ts'
import { pythonInPod, startPythonPod } from '../stage/python-pods.ts'
import { clusterEnvironment, configIn } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const path = '/run/standin-journey.sock'
/** Of a container beside the target's, in the same pod. */
const abstract = '@standin-journey'
const pod = 'target'

describe('a Unix socket of the pod', () => {
  const mark = markRun()
  let backend: Backend
  let started: TypeOf<(typeof startSession)['result']>
  let namespace: string
  let remove: () => Promise<void>

  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('unix'))
    await startPythonPod(namespace, pod, {
      main: { file: 'unix-echo.py', args: [path] },
      beside: { file: 'unix-echo.py', args: [abstract] },
    })
    backend = await startBackend(clusterEnvironment(mark.environment))
    const outgoing = { unix_streams: ['^/run/standin-journey', '^@standin-journey'] }
    started = await backend.connection.request(startSession, {
      target: `pod/${pod}/container/main`,
      config: { ...configIn(namespace), feature: { network: { outgoing } } },
    })
  }).timeout(120_000)
  after(async () => {
    if (started !== undefined) await backend.connection.request(stopSession, { sessionId: started.sessionId })
    await backend?.stop()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    if (namespace !== undefined && !process.env.STANDIN_TEST_SHARED) await untilNoAgents(namespace)
    await remove?.()
  })

  /** What the program printed in the container, after it was found to print the same in the session. */
  async function compared(way: string, name: string): Promise<unknown> {
    const command = ['sh', '-c', 'echo "$1" | /usr/bin/python3 "$2" "$3"', 'sh', name]
    const ours = inSession(backend, started, [...command, programOf('unix-connect.py'), way], {})
    const theirs = JSON.parse(await pythonInPod({ namespace, pod }, 'unix-connect.py', [way], `${name}\n`))
    const { stdout, stderr } = await ours
    assert.equal(stdout.length, 1, stderr.join('\n'))
    assert.deepEqual(JSON.parse(stdout[0]!), theirs)
    return theirs
  }

  for (const [kind, name] of [
    ['by its path', path],
    ['by its abstract name', abstract],
  ] as const) {
    const answer = `hello from ${name}\nhello`
    for (const way of ['blocking', 'non_blocking'])
      it(`is reached ${kind} (${way}), with its name as the peer`, async () => {
        assert.deepEqual(await compared(way, name), { answer, peer: name, own: '' })
      })

    it(`is reached ${kind} from asyncio`, async () => {
      assert.deepEqual(await compared('asyncio', name), { answer })
    })

    it(`is reached ${kind} 300 times in turn, between names that nobody listens to`, async () => {
      assert.deepEqual(await compared('often', name), { right: 300 })
    })
  }

  it('that is not there has the errno of the container', async () => {
    assert.deepEqual(await compared('blocking', `${path}-not`), { errno: 'ENOENT' })
    assert.deepEqual(await compared('blocking', `${abstract}-not`), { errno: 'ECONNREFUSED' })
  })
})

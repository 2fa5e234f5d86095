// Datagrams to services of a real cluster, and back: in a session a program hears what it hears in the container itself.
import assert from 'node:assert/strict'
import type { TypeOf } from 'io-ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { programOf } from '../../stage/pod.ts'
import { until } from '../run.ts'
import { inSession } from '../stage/in-pod.ts'
import { apply, freshNamespace, objectOf } from '../stage/kubectl.ts'
import { pythonInPod, startPythonPod } from '../stage/python-pods.ts'
import { type Laptop, startLaptop } from '../stage/session-laptop.ts'
import { clusterEnvironment, configIn } from '../stage/session-run.ts'
import { untilNoAgents } from '../stage/session-stand.ts'

const port = 9000
const closedPort = 9001
const echo = { main: { file: 'echo-datagrams.py', args: ['0.0.0.0', String(port)] } }

describe('a datagram of a process of a session', () => {
  const mark = markRun()
  let backend: Backend
  let started: TypeOf<(typeof startSession)['result']>
  let namespace: string
  let remove: () => Promise<void>
  /** From it only the API server is reached: whatever answers has been reached from the pod. */
  let laptop: Laptop
  let own: string
  let addresses: { pod: string; 'another pod': string; service: string }

  before(async () => {
    ;({ name: namespace, remove } = await freshNamespace('datagrams'))
    const [pod, another, caller] = await Promise.all(
      ['echo', 'another', 'caller'].map(name => startPythonPod(namespace, name, echo)),
    )
    own = caller!
    await apply({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'echo', namespace } },
      spec: { selector: { app: 'echo' }, ports: [{ port, protocol: 'UDP' }] },
    })
    const { clusterIP } = (await objectOf(['-n', namespace, 'service', 'echo'])).spec
    addresses = { pod: pod!, 'another pod': another!, service: clusterIP }
    laptop = await startLaptop()
    backend = await startBackend(clusterEnvironment(mark.environment), laptop.enter)
    started = await backend.connection.request(startSession, {
      target: 'pod/caller',
      config: configIn(namespace),
    })
    await until('the service to lead to its pod', 30_000, async () =>
      (await inside('connected', `${clusterIP} ${port}`)).includes('hello'),
    )
  }).timeout(180_000)
  after(async () => {
    if (started !== undefined) await backend.connection.request(stopSession, { sessionId: started.sessionId })
    await backend?.stop()
    await laptop?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
    if (namespace !== undefined && !process.env.STANDIN_TEST_SHARED) await untilNoAgents(namespace)
    await remove?.()
  })

  const inside = (way: string, line: string) =>
    pythonInPod({ namespace, pod: 'caller' }, 'datagrams.py', [way], `${line}\n`)

  /** What the program printed in the pod, after it was found to print the same in the session. */
  async function compared(way: string, line: string): Promise<Record<string, unknown>> {
    const command = ['sh', '-c', 'echo "$1" | /usr/bin/python3 "$2" "$3"', 'sh', line]
    const ours = inSession(backend, started, [...command, programOf('datagrams.py'), way], {})
    const theirs = lasting(JSON.parse(await inside(way, line)))
    const { stdout, stderr } = await ours
    assert.equal(stdout.length, 1, stderr.join('\n'))
    assert.deepEqual(lasting(JSON.parse(stdout[0]!)), theirs)
    return theirs
  }

  const places = ['pod', 'service'] as const
  for (const place of places) {
    for (const way of ['connected', 'unconnected', 'messages', 'copied', 'waiting', 'again'])
      it(`reaches a ${place} and is answered as from the pod's own socket (${way})`, async () => {
        const result = await compared(way, `${addresses[place]} ${port}`)
        assert.equal(result.answer, `${own} hello`)
        assert.deepEqual(result.source, [addresses[place], port])
      })

    it(`reaches a ${place} from sockets of asyncio`, async () => {
      const { bound, connected } = await compared('asyncio', `${addresses[place]} ${port}`)
      assert.deepEqual([bound, connected], Array(2).fill([`${own} hello`, [addresses[place], port]]))
    })

    it(`reaches a ${place} with 65,000 bytes, and is answered with 65,507`, async () => {
      const result = await compared('large', `${addresses[place]} ${port}`)
      assert.deepEqual(result, { count: 65_507, cut: 10, truncated: true, back: true, code: 'EMSGSIZE' })
    })
  }

  it('to a closed port of a pod is refused: poll and the next call tell, each time', async () => {
    const result = await compared('refused', `${addresses.pod} ${closedPort}`)
    assert.deepEqual(result, { codes: [true, 'ECONNREFUSED', true, 'ECONNREFUSED'] })
  })

  it('of one socket reaches several peers, whose answers are told apart, before it is connected to one of them', async () => {
    const both = [addresses.pod, addresses['another pod']] as const
    const { heard, ...tied } = await compared('peers', `${both.join(',')} ${port}`)
    const of = (said: string) => [...both].sort().map(address => [address, port, said])
    assert.deepEqual(heard, [of('0'), of('1'), of('2')])
    assert.deepEqual(tied, { tied: 'tied', peer: [both[1], port] })
  })

  it('of 500 sockets in turn reaches the pod', async () => {
    assert.deepEqual(await compared('often', `${addresses.pod} ${port}`), { right: 500 })
  })
})

/** Without the ports that the kernel chose: of "own", and of the caller in answers, "10.0.0.1 40000 hello". */
function lasting(result: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(result)
  return JSON.parse(text.replace(/("[\d.]+) \d+ /g, '$1 ').replace(/("own":\["[\d.]+",)\d+/, '$10'))
}

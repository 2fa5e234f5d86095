// A port of the pod that is mirrored to a port of this machine, whichever program listens there: it gets copies, and the pod alone answers.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { closePort, reversePort } from '../../../protocol/rpc/ports.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Lines, linesOf } from '../../stage/lines.ts'
import { type Pod, programOf, startPod } from '../../stage/pod.ts'

const localPort = 3000
const isRequest = (line: string) => line.startsWith('/')
/** Path, hash and length of each request. */
const requestsOf = (lines: readonly string[]) =>
  lines
    .filter(isRequest)
    .map(line => line.split(' ').slice(0, 3).join(' '))
    .sort()

describe('a mirrored port', () => {
  let run: ReturnType<typeof markRun>
  let pod: Pod
  let backend: Backend
  let sessionId: string
  let local: ChildProcess | undefined
  beforeEach(async () => {
    run = markRun()
    pod = await startPod()
    backend = await startBackend(run.environment)
    // It needs nothing of the configuration's incoming traffic.
    const config = { feature: { network: { incoming: 'off' as const } } }
    ;({ sessionId } = await backend.connection.request(startSession, { target: pod.target, config }))
  })
  afterEach(async () => {
    backend.child.stdin?.end()
    local?.kill('SIGKILL')
    await pod.end()
    await untilNothing('processes of standin', () => processesOf(run.value))
  })

  const reverse = (podPort = pod.port) =>
    backend.connection.request(reversePort, { sessionId, podPort, localPort })
  const captured = (count = 1) =>
    backend.messages.untilCount('captures', count, line => line === `Port ${pod.port} of the pod is captured`)

  /** What an ordinary program says of the requests that it gets. */
  async function localProgram(): Promise<Lines> {
    const args = [programOf('hash-server.mjs'), String(localPort), '127.0.0.1']
    local = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = linesOf(local.stdout)
    await lines.until('the program listening', line => line.includes('listening'))
    return lines
  }

  async function callsAnswered(count: number): Promise<void> {
    const { answered, wrong, failed } = await pod.call(count, 4).result
    assert.deepEqual({ answered, wrong, failed }, { answered: count, wrong: 0, failed: 0 })
  }

  it('brings every request to the program, and the pod alone answers the callers', async () => {
    const copies = await localProgram()
    await reverse()
    await captured()
    await callsAnswered(100)
    await copies.untilCount('copies', 100, isRequest)
    assert.deepEqual(requestsOf(copies.all), requestsOf(pod.lines.all))
  })

  it('serves a program that starts later, and the next agent captures it again', async () => {
    await reverse()
    await captured()
    await callsAnswered(10)
    const copies = await localProgram()
    await callsAnswered(10)
    await copies.untilCount('copies', 10, isRequest)
    process.kill(processesOf(run.value).find(({ program }) => program === 'agent')!.pid, 'SIGKILL')
    await captured(2)
    await callsAnswered(10)
    await copies.untilCount('copies', 20, isRequest)
  })

  it('ends with closePort and with the session, and its port may be mirrored again', async () => {
    const copies = await localProgram()
    const { portId } = await reverse()
    await captured()
    await assert.rejects(
      reverse(),
      new RegExp(
        `Cannot mirror port 8080 of the pod to port 3000: it is mirrored to port 3000 as "${portId}"`,
      ),
    )
    await backend.connection.request(closePort, { portId })
    await callsAnswered(10)
    await assert.rejects(backend.connection.request(closePort, { portId }), /Cannot find port/)
    const again = await reverse()
    assert.notEqual(again.portId, portId)
    await captured(2)
    await callsAnswered(10)
    await copies.untilCount('copies', 10, isRequest)
    await backend.connection.request(stopSession, { sessionId })
    await callsAnswered(10)
    assert.equal(copies.all.filter(isRequest).length, 10)
  })

  it('that nothing in the pod listens on is mirrored later, with a notice', async () => {
    await reverse(9999)
    await backend.messages.until('the notice', line => line === 'Nothing in the pod listens on port 9999 yet')
  })
})

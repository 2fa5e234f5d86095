// TCP connections that a process makes leave from the pod: to services that only the pod reaches, with the pod's addresses and errors.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { type Pod, programOf, startPod } from '../../stage/pod.ts'

const mark = markRun()
const servicePort = 9000

type Result = { answer?: string; errno?: string; peer?: [string, number]; own?: [string, number]; steps?: unknown }

describe('a connection of a process', () => {
  let pod: Pod
  let service: ChildProcess
  let backend: Backend
  let sessionId: string
  before(async () => {
    pod = await startPod()
    service = pod.callers.spawn('python3', [programOf('echo-service.py'), '::', String(servicePort)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(service.stdout).until('the service listening', line => line === 'listening')
    backend = await startBackend(mark.environment)
    const session = await backend.connection.request(startSession, { target: pod.target })
    sessionId = session.sessionId
  })
  after(async () => {
    await backend?.connection.request(stopSession, { sessionId })
    await backend?.stop()
    service?.kill('SIGKILL')
    await pod?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function connects(way: string): Promise<(address: string, port: number) => Promise<Result>> {
    const command = ['python3', programOf('connect.py'), way]
    const { processId } = await backend.connection.request(launch, { sessionId, command, stdin: 'pipe' })
    const output = backend.output(processId)
    let count = 0
    return async (address, port) => {
      await backend.connection.request(writeProcess, { processId, data: `${address} ${port}\n` })
      count += 1
      await output.untilCount('results', count, line => line.startsWith('{'), 30_000)
      return JSON.parse(output.all.filter(line => line.startsWith('{'))[count - 1]!)
    }
  }

  for (const way of ['blocking', 'polled', 'mapped', 'asyncio'])
    it(`that is made ${way} reaches what only the pod reaches, from the pod's address`, async () => {
      const to = await connects(way)
      const { ipv4: service } = pod.cable.second
      const result = await to(service, servicePort)
      assert.equal(result.errno, undefined, JSON.stringify(result))
      const [address, port] = result.own!
      assert.equal(result.answer, `::ffff:${pod.cable.first.ipv4} ${port} hello\n`)
      assert.deepEqual([address.replace('::ffff:', '')], [pod.cable.first.ipv4])
      assert.deepEqual(result.peer, [way === 'mapped' ? `::ffff:${service}` : service, servicePort])
      assert.deepEqual(await to(service, servicePort + 1), { errno: 'ECONNREFUSED' })
      assert.deepEqual(await to('192.0.2.1', 80), { errno: 'ENETUNREACH' })
    })
})

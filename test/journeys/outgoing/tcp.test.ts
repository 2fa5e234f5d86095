// TCP connections that a process makes leave from the pod: to services that only the pod reaches, with the pod's addresses and errors.
import assert from 'node:assert/strict'
import { launch, signalProcess, writeProcess } from '../../../protocol/rpc/processes.ts'
import type { Backend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Pod, programOf } from '../../stage/pod.ts'
import { untilState } from '../../stage/process-state.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'
import { silenceIn, synSentIn } from '../../stage/silence.ts'

const mark = markRun()
const servicePort = 9000

type Result = {
  answer?: string
  errno?: string
  peer?: [string, number]
  own?: [string, number]
  steps?: unknown
}

describe('a connection of a process', () => {
  let reaching: Reaching
  let pod: Pod
  let backend: Backend
  let sessionId: string
  before(async () => {
    reaching = await startReaching(mark.environment, [
      'python3',
      programOf('echo-service.py'),
      '::',
      String(servicePort),
    ])
    ;({ pod, backend, sessionId } = reaching)
  })
  after(async () => {
    await reaching?.end()
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

  for (const way of ['blocking', 'polled', 'mapped', 'asyncio', 'multipath'])
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

  it('has what a local one has: EALREADY and EISCONN for a second connect', async () => {
    const pending = await connects('pending')
    assert.deepEqual(await pending(await silenceIn(pod), 9), { codes: ['EINPROGRESS', 'EALREADY'] })
    const to = await connects('again')
    assert.deepEqual(await to(pod.cable.second.ipv4, servicePort), {
      codes: ['EINPROGRESS', 0, 'EISCONN', 'EISCONN'],
    })
  })

  it('that would be made by TCP Fast Open leaves from the pod too', async () => {
    const to = await connects('fast_open')
    const { code, answer, own } = (await to(pod.cable.second.ipv4, servicePort)) as Result & { code: string }
    // EOPNOTSUPP by its other name.
    assert.deepEqual([code, answer], ['ENOTSUP', `::ffff:${pod.cable.first.ipv4} ${own![1]} hello\n`])
  })

  it('that nobody answers ends a blocking connect by SO_SNDTIMEO and by a signal', async () => {
    const to = await connects('interrupted')
    const silent = await silenceIn(pod)
    assert.deepEqual(await to(silent, 9), { codes: ['EINPROGRESS', 'EINTR'], waited: 0.3 })
  })

  it('carries 8 MiB each way unchanged', async () => {
    const to = await connects('volume')
    const { count, said, heard } = (await to(pod.cable.second.ipv4, servicePort)) as Record<string, unknown>
    assert.deepEqual([count, heard], [8 << 20, said])
  })

  it('that nobody answers leaves the program as responsive as alone, and is given up with its socket', async () => {
    const silent = await silenceIn(pod)
    const port = 18_080
    const command = [process.execPath, programOf('connect-many.mjs'), '200', silent, String(port)]
    const { processId } = await backend.connection.request(launch, { sessionId, command })
    const output = backend.output(processId)
    await output.until('the dials', line => line === 'dialling')
    await untilState('200 dials of the pod', () => synSentIn(pod.namespace.pid).length === 200)
    const waited: number[] = []
    for (let number = 0; number < 100; number++) {
      const beganMs = performance.now()
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here')
      waited.push(performance.now() - beganMs)
    }
    await output.until('the ends', line => line.startsWith('ends'))
    assert.deepEqual(
      output.all.find(line => line.startsWith('ends')),
      'ends []',
    )
    waited.sort((a, b) => a - b)
    assert.ok(waited[90]! < 1_000, `a request in ten waited ${waited[90]} ms`)
    await untilNothing('dials of the pod', () => synSentIn(pod.namespace.pid), 20_000)
    await backend.connection.request(signalProcess, { processId, signal: 'SIGKILL' })
  })
})

// UDP datagrams that a process sends leave from the pod: to services that only the pod reaches, whose answers carry their true source.
import assert from 'node:assert/strict'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import type { Backend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Pod, programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const mark = markRun()
const servicePort = 9000

describe('a datagram of a process', () => {
  let reaching: Reaching
  let pod: Pod
  let backend: Backend
  let sessionId: string
  before(async () => {
    const service = ['python3', programOf('echo-datagrams.py'), '::', String(servicePort)] as const
    reaching = await startReaching(mark.environment, service)
    ;({ pod, backend, sessionId } = reaching)
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  async function sends(
    way: string,
  ): Promise<(address: string, port: number) => Promise<Record<string, unknown>>> {
    const command = ['python3', programOf('datagrams.py'), way]
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

  for (const family of ['ipv4', 'ipv6'] as const) {
    const ends = () => ({ service: pod.cable.second[family], own: pod.cable.first[family] })
    const from = (answer: unknown) => String(answer).replace(/ \d+ /, ' ')

    it(`over ${family}, of a connected socket: the process sees the addresses of the pod's world`, async () => {
      const { service, own } = ends()
      const result = await (await sends('connected'))(service, servicePort)
      const [address, port] = result.own as [string, number]
      assert.deepEqual(
        [result.answer, result.again, result.source, result.peer, address],
        [`${own} ${port} hello`, `${own} ${port} again`, [service, servicePort], [service, servicePort], own],
        JSON.stringify(result),
      )
    })

    it(`over ${family}, to where nobody is: poll and the next call tell ECONNREFUSED, each time`, async () => {
      const result = await (await sends('refused'))(ends().service, servicePort + 1)
      assert.deepEqual(result, { codes: [true, 'ECONNREFUSED', true, 'ECONNREFUSED'] })
    })

    for (const way of ['unconnected', 'messages', 'copied', 'waiting'])
      it(`over ${family}, of an unconnected socket (${way}): answers carry their true source`, async () => {
        const { service, own } = ends()
        const result = await (await sends(way))(service, servicePort)
        assert.equal(from(result.answer), `${own} hello`, JSON.stringify(result))
        assert.deepEqual(result.source, [service, servicePort])
        if (way === 'unconnected') assert.deepEqual(result.elsewhere, [service, true])
        if (way === 'messages') assert.equal(result.flags, 0)
      })

    it(`over ${family}, in asyncio: connected and bound`, async () => {
      const { service, own } = ends()
      const { connected, bound } = (await (
        await sends('asyncio')
      )(service, servicePort)) as Record<string, [string, [string, number]]>
      for (const [answer, source] of [connected!, bound!]) {
        assert.equal(from(answer), `${own} hello`)
        assert.deepEqual(source, [service, servicePort])
      }
    })

    it(`over ${family}, of a socket that was disconnected and connected anew`, async () => {
      const { service, own } = ends()
      const { answer, ...rest } = await (await sends('again'))(service, servicePort)
      assert.equal(from(answer), `${own} hello`)
      assert.deepEqual(rest, { own, first: 'first', peer: 'ENOTCONN', source: [service, servicePort] })
    })

    it(`over ${family}, is as large as UDP carries, and is cut to the room for it`, async () => {
      const result = await (await sends('large'))(ends().service, servicePort)
      assert.deepEqual(result, { count: 65_507, cut: 10, truncated: true, back: true, code: 'EMSGSIZE' })
    })
  }

  it('to an IPv4 address of a socket for both families', async () => {
    const service = pod.cable.second.ipv4
    const { answer, source } = await (await sends('mapped'))(service, servicePort)
    assert.match(String(answer), new RegExp(`^${pod.cable.first.ipv4} \\d+ hello$`))
    assert.deepEqual(source, [`::ffff:${service}`, servicePort])
  })

  it('has the errno of the pod where it has no route', async () => {
    const to = await sends('connected')
    assert.deepEqual(await to('192.0.2.1', 53), { errno: 'ENETUNREACH' })
  })
})

// Many connections at once and one after the other: all arrive, and nothing of them stays in any of our processes.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { launch } from '../../../protocol/rpc/processes.ts'
import type { Backend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Pod, programOf } from '../../stage/pod.ts'
import { type Reaching, startReaching } from '../../stage/reaching.ts'

const mark = markRun()
const servicePort = 9000
/** TCP sockets of the link and the relay, which come and go. */
const mostOthers = 4

describe('connections of a process', () => {
  let reaching: Reaching
  let pod: Pod
  let backend: Backend
  let sessionId: string
  before(async () => {
    reaching = await startReaching(mark.environment, [
      process.execPath,
      programOf('http-service.mjs'),
      String(servicePort),
    ])
    ;({ pod, backend, sessionId } = reaching)
  })
  after(async () => {
    await reaching?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  /** How many TCP sockets each of our processes has open. */
  const sockets = () =>
    new Map(
      processesOf(mark.value)
        .filter(({ program }) => ['server', 'agent', 'relay'].includes(program))
        .map(({ program, pid }) => [program, tcpSockets(pid)]),
    )

  /** What a program that opens connections in the order of `mode` says at its end. */
  async function dialled(mode: 'at once' | 'in turn', count: number, port = servicePort): Promise<string> {
    const command = [
      process.execPath,
      programOf('dial-often.mjs'),
      mode,
      String(count),
      pod.cable.second.ipv4,
    ]
    const { processId } = await backend.connection.request(launch, {
      ...{ sessionId, command: [...command, String(port)] },
    })
    assert.deepEqual(await backend.exitOf(processId, 100_000), { processId, code: 0 })
    return backend.output(processId).all.at(-1)!
  }

  it('5,000 at once all stand together, carry what they should, and leave no socket', async () => {
    await dialled('in turn', 10)
    const before = sockets()
    assert.equal(await dialled('at once', 5_000), '5000 right')
    await untilNothing('more sockets than before', () =>
      [...sockets()].filter(([program, count]) => count > before.get(program)! + mostOthers),
    )
  }).timeout(120_000)

  it('3,000 one after the other, and 1,000 that are refused, leave no socket', async () => {
    await dialled('in turn', 10)
    const before = sockets()
    assert.equal(await dialled('in turn', 3_000), '3000 right')
    assert.equal(await dialled('in turn', 1_000, servicePort + 1), '1000 ECONNREFUSED')
    await untilNothing('more sockets than before', () =>
      [...sockets()].filter(([program, count]) => count > before.get(program)! + mostOthers),
    )
  }).timeout(120_000)

  it('10,000 of which one in a hundred fails in each way come out as they should, and leave no socket', async () => {
    await dialled('in turn', 10)
    const before = sockets()
    const { processId } = await backend.connection.request(launch, {
      sessionId,
      command: [
        process.execPath,
        programOf('dial-faulty.mjs'),
        ...['10000', pod.cable.second.ipv4, String(servicePort)],
      ],
    })
    assert.deepEqual(await backend.exitOf(processId, 100_000), { processId, code: 0 })
    assert.deepEqual(JSON.parse(backend.output(processId).all.at(-1)!), {
      'whole: right': 9_500,
      'refused: ECONNREFUSED': 100,
      'no way: ENETUNREACH': 100,
      'given up: closed': 100,
      'reset: closed': 100,
      'unread: closed': 100,
    })
    await untilNothing('more sockets than before', () =>
      [...sockets()].filter(([program, count]) => count > before.get(program)! + mostOthers),
    )
  }).timeout(120_000)
})

function tcpSockets(pid: number): number {
  const rows = ['tcp', 'tcp6'].flatMap(table =>
    readFileSync(`/proc/${pid}/net/${table}`, 'latin1').split('\n').slice(1),
  )
  const inodes = new Set(rows.map(row => `socket:[${row.trim().split(/\s+/)[9]}]`))
  return readdirSync(`/proc/${pid}/fd`).filter(number => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${number}`))
    } catch {
      return false // closed since
    }
  }).length
}

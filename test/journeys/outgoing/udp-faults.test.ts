// What becomes of datagrams when something between the process and the pod fails: lost or refused, never sent by this machine, and they go on afterwards.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch, signalProcess, writeProcess } from '../../../protocol/rpc/processes.ts'
import type { Backend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { type Pod, programOf } from '../../stage/pod.ts'
import { untilState } from '../../stage/process-state.ts'
import { startReaching } from '../../stage/reaching.ts'

const servicePort = 9000
const talks = { connected: 'hello', free: 'hello', new: 'hello' }

describe('a process that sends datagrams, when', () => {
  let run: ReturnType<typeof markRun>
  let pod: Pod
  let backend: Backend
  let sessionId: string
  /** Hears what this machine sends by itself to the pod's network, which it takes for its own. */
  let eavesdropper: Socket
  let leaked: string[]
  beforeEach(async () => {
    run = markRun()
    const service = ['python3', programOf('echo-datagrams.py'), '::', String(servicePort)] as const
    ;({ pod, backend, sessionId } = await startReaching(run.environment, service))
    execFileSync('ip', ['route', 'replace', 'local', '10.77.0.0/24', 'dev', 'lo'])
    leaked = []
    eavesdropper = createSocket('udp4', said => leaked.push(String(said)))
    eavesdropper.bind(servicePort)
    await once(eavesdropper, 'listening')
  })
  afterEach(async () => {
    eavesdropper.close()
    execFileSync('ip', ['route', 'delete', 'local', '10.77.0.0/24', 'dev', 'lo'])
    backend.child.stdin?.end()
    await pod.end()
    await untilNothing('processes of standin', () => processesOf(run.value))
    assert.deepEqual(leaked, [])
  })

  const pidOf = (name: string) => processesOf(run.value).find(({ program }) => program === name)!.pid

  async function sends(way: string) {
    const command = ['python3', programOf('datagrams.py'), way]
    const { processId } = await backend.connection.request(launch, { sessionId, command, stdin: 'pipe' })
    const output = backend.output(processId)
    let count = 0
    const say = async (address = pod.cable.second.ipv4): Promise<Record<string, string>> => {
      await backend.connection.request(writeProcess, { processId, data: `${address} ${servicePort}\n` })
      count += 1
      await output.untilCount('results', count, line => line.startsWith('{'), 30_000)
      return JSON.parse(output.all.filter(line => line.startsWith('{'))[count - 1]!)
    }
    return { say, processId }
  }

  it('this machine would send them itself, that is heard', async () => {
    const heard = once(eavesdropper, 'message')
    eavesdropper.send('alone', servicePort, pod.cable.second.ipv4)
    await heard
    assert.deepEqual(leaked.splice(0), ['alone'])
  })

  it('the agent is killed: they are lost or refused, and go on with the next agent', async () => {
    const { say } = await sends('kept_open')
    assert.deepEqual(await say(), talks)
    const before = pidOf('agent')
    process.kill(before, 'SIGKILL')
    await backend.untilStatus('the reconnecting', ({ state }) => state === 'reconnecting')
    const seen = backend.statuses.length
    const meanwhile = await say()
    for (const answer of Object.values(meanwhile))
      assert.ok(['hello', 'nothing', 'ENETUNREACH'].includes(answer), JSON.stringify(meanwhile))
    if (backend.statuses.at(-1)?.state !== 'running')
      await backend.untilStatus('the session running again', status => {
        return status.state === 'running' && backend.statuses.indexOf(status) >= seen
      })
    assert.deepEqual(await say(), talks)
    assert.notEqual(pidOf('agent'), before)
  })

  it('the relay is killed: they go on, for it has no part in them', async () => {
    const { say } = await sends('kept_open')
    assert.deepEqual(await say(), talks)
    process.kill(pidOf('relay'), 'SIGKILL')
    assert.deepEqual(await say(), talks)
  })

  it('the target has ended: they are lost, a connect is refused, and the command runs on', async () => {
    const { say } = await sends('kept_open')
    const calls = await sends('codes')
    assert.deepEqual(await say(), talks)
    pod.server.kill('SIGKILL')
    await backend.untilStatus('the end', ({ state }) => state === 'stopped')
    assert.deepEqual(await say(), { connected: 'nothing', free: 'nothing', new: 'nothing' })
    assert.equal((await calls.say()).connect, 'ENETUNREACH')
  })

  it('the supervisor is killed: connected sockets go on, and all else is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-datagrams-'))
    const results = join(folder, 'results')
    const lines = (): Record<string, string>[] =>
      existsSync(results)
        ? readFileSync(results, 'utf8')
            .split('\n')
            .slice(0, -1)
            .map(line => JSON.parse(line))
        : []
    const { processId } = await backend.connection.request(launch, {
      ...{ sessionId, stdin: 'pipe' },
      command: ['python3', programOf('datagrams.py'), 'orphaned', results],
    })
    const data = `${pod.cable.second.ipv4} ${servicePort}\n`
    await backend.connection.request(writeProcess, { processId, data })
    await untilState('datagrams', () => lines().length > 3)
    const supervisor = processesOf(run.value).find(
      ({ program, pid }) => program === 'hook' && childrenOf(pid).some(child => isPython(child)),
    )!
    process.kill(supervisor.pid, 'SIGKILL')
    const refused = 'ENETUNREACH'
    const expected = {
      sendto: refused,
      sendmsg: refused,
      connect: refused,
      socket: refused,
      connected: 'hello',
    }
    await untilState('refusals', () => lines().filter(({ socket }) => socket === refused).length > 10)
    assert.deepEqual(lines()[0], { sendto: 0, sendmsg: 0, connect: 0, socket: 0, connected: 'hello' })
    assert.deepEqual(lines().at(-1), expected)
    await backend.connection.request(signalProcess, { processId, signal: 'SIGKILL' })
    rmSync(folder, { recursive: true })
  })

  it('it makes many sockets, none is left in any of our processes', async () => {
    const { say, processId } = await sends('often')
    const before = new Map(['server', 'agent'].map(name => [name, udpSockets(pidOf(name))]))
    assert.deepEqual(await say(), { right: 500 })
    await untilNothing('UDP sockets', () =>
      ['server', 'agent'].filter(name => udpSockets(pidOf(name)) > before.get(name)!),
    )
    await backend.connection.request(signalProcess, { processId, signal: 'SIGKILL' })
  }).timeout(120_000)
})

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').map(Number),
  )

const isPython = (pid: number): boolean =>
  pid > 0 && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('python')

/** How many UDP sockets a process has, in whichever network namespace they are. */
function udpSockets(pid: number): number {
  const listed = ['udp', 'udp6'].flatMap(table =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map(line => line.trim().split(/\s+/)[9]),
  )
  return readdirSync(`/proc/${pid}/fd`).filter(descriptor => {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1]
      return inode !== undefined && listed.includes(inode)
    } catch {
      return false
    }
  }).length
}

// What becomes of connections when something between the process and the pod fails: an error, never this machine's own network.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch, writeProcess } from '../../../protocol/rpc/processes.ts'
import { startSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { leadHere } from '../../stage/lead-here.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { type Pod, programOf, startPod } from '../../stage/pod.ts'
import { untilState } from '../../stage/process-state.ts'
import { silenceIn, synSentIn } from '../../stage/silence.ts'

const servicePort = 9000

describe('a process that connects, when', () => {
  let run: ReturnType<typeof markRun>
  let pod: Pod
  let service: ChildProcess
  let backend: Backend
  let sessionId: string
  /** Takes what this machine makes by itself to the pod's network, which it takes for its own. */
  let eavesdropper: Server
  let leaked: number
  leadHere('10.77.0.0/24', 'local')
  beforeEach(async () => {
    run = markRun()
    leaked = 0
    eavesdropper = createServer(() => {
      leaked += 1
    }).listen(servicePort)
    await once(eavesdropper, 'listening')
    pod = await startPod()
    service = pod.callers.spawn('python3', [programOf('echo-service.py'), '::', String(servicePort)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(service.stdout).until('the service listening', line => line === 'listening')
    backend = await startBackend(run.environment)
    sessionId = (await backend.connection.request(startSession, { target: pod.target })).sessionId
  })
  afterEach(async () => {
    backend.child.stdin?.end()
    service.kill('SIGKILL')
    await pod.end()
    await untilNothing('processes of standin', () => processesOf(run.value))
    eavesdropper.close()
    assert.equal(leaked, 0)
  })

  it('this machine would make one itself, that is heard', async () => {
    const made = connect(servicePort, pod.cable.second.ipv4)
    await once(eavesdropper, 'connection')
    made.destroy()
    assert.equal(leaked, 1)
    leaked = 0
  })

  const pidOf = (name: string) => processesOf(run.value).find(({ program }) => program === name)!.pid

  const supervisorOf = (pid: number) =>
    processesOf(run.value).find(one => one.program === 'hook' && childrenOf(one.pid).includes(pid))!.pid

  async function connecting(way = 'blocking') {
    const command = ['python3', programOf('connect.py'), way]
    const { processId, pid } = await backend.connection.request(launch, {
      ...{ sessionId, command },
      stdin: 'pipe',
    })
    const output = backend.output(processId)
    let count = 0
    const to = async (port = servicePort) => {
      await backend.connection.request(writeProcess, {
        ...{ processId, data: `${pod.cable.second.ipv4} ${port}\n` },
      })
      count += 1
      await output.untilCount('results', count, line => line.startsWith('{'), 30_000)
      const result = JSON.parse(output.all.filter(line => line.startsWith('{'))[count - 1]!)
      return result.errno ?? 'connected'
    }
    return { to, pid }
  }

  it('its supervisor is killed: ENETUNREACH', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-connects-'))
    const results = join(folder, 'results')
    // What it prints would go with its supervisor.
    const script = `
import errno, socket, sys, time
for _ in range(1000):
    made = socket.socket()
    code = made.connect_ex((sys.argv[1], ${servicePort}))
    made.close()
    print(errno.errorcode.get(code, code), file=open(sys.argv[2], "a"))
    time.sleep(0.02)`
    const command = ['python3', '-c', script, pod.cable.second.ipv4, results]
    const { pid } = await backend.connection.request(launch, { sessionId, command })
    const lines = () => (existsSync(results) ? linesIn(results) : [])
    await untilState('connections', () => lines().includes('0'))
    process.kill(supervisorOf(pid), 'SIGKILL')
    await untilState('errors', () => lines().filter(line => line === 'ENETUNREACH').length > 10)
    assert.deepEqual([...new Set(lines())].sort(), ['0', 'ENETUNREACH'])
    rmSync(folder, { recursive: true })
    process.kill(pid, 'SIGKILL')
  })

  it('its supervisor is killed while the pod connects: it hears so, and does not wait for the kernel', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-connects-'))
    const results = join(folder, 'results')
    const command = ['python3', programOf('orphaned-connects.py'), await silenceIn(pod), results]
    const { pid } = await backend.connection.request(launch, { sessionId, command })
    await untilState('two dials of the pod', () => synSentIn(pod.namespace.pid).length === 2)
    process.kill(supervisorOf(pid), 'SIGKILL')
    await untilState('results', () => existsSync(results) && linesIn(results).length === 2)
    for (const line of linesIn(results)) assert.match(line, /^(blocking|polled) (ECONNRESET|ECONNREFUSED)$/)
    rmSync(folder, { recursive: true })
  })

  it('the relay is killed: another takes its place', async () => {
    const { to } = await connecting()
    assert.equal(await to(), 'connected')
    const before = pidOf('relay')
    process.kill(before, 'SIGKILL')
    await untilState('another relay', () =>
      processesOf(run.value).some(({ program, pid }) => program === 'relay' && pid !== before),
    )
    await untilConnected(to)
  })

  it('the target has ended: ENETUNREACH, and the command runs on', async () => {
    const { to } = await connecting()
    assert.equal(await to(), 'connected')
    pod.server.kill('SIGKILL')
    await backend.untilStatus('the end', ({ state }) => state === 'stopped')
    assert.equal(await to(), 'ENETUNREACH')
  })

  it('the agent is killed: another takes its place, and until then ENETUNREACH', async () => {
    const { to } = await connecting('asyncio')
    assert.equal(await to(), 'connected')
    const before = pidOf('agent')
    process.kill(before, 'SIGKILL')
    await backend.untilStatus('the reconnecting', ({ state }) => state === 'reconnecting')
    const meanwhile = await to()
    assert.ok(['ENETUNREACH', 'connected'].includes(meanwhile), meanwhile)
    const seen = backend.statuses.findIndex(({ state }) => state === 'reconnecting')
    await backend.untilStatus('the session running again', status => {
      return status.state === 'running' && backend.statuses.indexOf(status) > seen
    })
    assert.equal(await to(), 'connected')
    assert.notEqual(pidOf('agent'), before)
  })

  /** What was told before the relay died may still name its ports. */
  async function untilConnected(to: () => Promise<string>): Promise<void> {
    for (let count = 0; count < 50; count++) if ((await to()) === 'connected') return
    assert.fail('no connection was made by the other relay')
  }
})

const linesIn = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1)

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').map(Number),
  )

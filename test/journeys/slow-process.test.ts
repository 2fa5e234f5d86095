// Copies that the process does not get: callers notice nothing, server and agent stay small, and the user is told, with a count.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { launch } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import { type CallResult, type Pod, programOf, startPod } from '../stage/pod.ts'

const mark = markRun()
/** More than the kernel's buffers (10 MiB), the server's (256 KiB) and the agent's (8 MiB) hold of one connection. */
const bodyBytes = 48 << 20
/** One connection each. */
const calls = 8
/** The ring of 32 MiB, as much on its way from the thread, 64 MiB of copies, 16 MiB for resending, and the heap's slack; the bodies are 384 MiB. */
const mostMiB = 220

describe('what the process does not get', () => {
  let pod: Pod
  let backend: Backend
  beforeEach(async () => {
    pod = await startPod()
    backend = await startBackend(mark.environment)
  })
  afterEach(async () => {
    backend.child.kill('SIGKILL')
    await pod.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  /** A session with a process on the pod's port, and its agent. */
  async function start(program: string, ...args: string[]) {
    const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
    const command = [process.execPath, programOf(program), ...args]
    await backend.connection.request(launch, { sessionId, command })
    await backend.messages.until('the capture', line => line === 'Port 8080 of the pod is captured')
    const agent = processesOf(mark.value).find(({ program }) => program === 'agent')?.pid
    assert.ok(agent)
    return { sessionId, agent }
  }

  it('because it never reads is its own loss alone, and its user is told how many', async () => {
    const { sessionId, agent } = await start('deliver-listener.mjs', 'silent', '8080')
    const small = [agent, backend.child.pid].map(residentMiB)
    const watch = watchMemory([agent, backend.child.pid])
    assert.deepEqual(await call(pod), { answered: calls, wrong: 0, failed: 0, errors: [] })
    const lostSoFar = /^Lost on the way to the process so far: \d+ connections? \(the reader is too slow\)/
    await backend.messages.until('the notice', line => lostSoFar.test(line))
    await backend.connection.request(stopSession, { sessionId })
    const total = await backend.messages.until('the total', line =>
      line.startsWith('Lost on the way to the process in all: '),
    )
    // On a machine that has no time left some of it is lost before it gets as far.
    const lost = [...total.matchAll(/(\d+) connections? \((the reader is too slow|a gap in the capture)\)/g)]
    assert.equal(
      lost.reduce((sum, [, count]) => sum + Number(count), 0),
      calls,
      total,
    )
    const grown = watch.end().map((most, index) => most - small[index]!)
    assert.ok(Math.max(...grown) < mostMiB, `agent and server grew by ${grown.join(' and ')} MiB`)
    const told = backend.messages.all.filter(line => line.startsWith('Lost on the way'))
    assert.ok(told.length < 20, `told ${told.length} times`)
    await backend.stop()
  }).timeout(180_000)

  it('because the agent could not read the ring is told in packets', async () => {
    const { sessionId, agent } = await start('hash-server.mjs', '8080')
    process.kill(agent, 'SIGSTOP')
    assert.deepEqual(await call(pod), { answered: calls, wrong: 0, failed: 0, errors: [] })
    process.kill(agent, 'SIGCONT')
    const ofRing = /^Lost on the way to the process so far: .*\b\d+ packets \(the capture ring was full\)/
    await backend.messages.until('the notice', line => ofRing.test(line))
    await backend.connection.request(stopSession, { sessionId })
    const total = /^Lost on the way to the process in all: .*\(the capture ring was full\)/
    await backend.messages.until('the total', line => total.test(line))
    await backend.stop()
  }).timeout(180_000)
})

async function call({ callers, cable, port }: Pod): Promise<CallResult> {
  const program = programOf('hash-callers.mjs')
  const args = [program, cable.first.ipv4, port, calls, calls, 1, 0, bodyBytes].map(String)
  const child = callers.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await linesOf(child.stdout).until("the callers' result", () => true, 120_000))
}

/** The most that each process had in memory, looked at every 20 ms. */
function watchMemory(pids: readonly (number | undefined)[]) {
  const most = pids.map(residentMiB)
  const look = () =>
    pids.forEach((pid, index) => {
      most[index] = Math.max(most[index]!, residentMiB(pid))
    })
  const timer = setInterval(look, 20)
  return {
    end() {
      clearInterval(timer)
      return most
    },
  }
}

function residentMiB(pid: number | undefined): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) >> 10
  } catch {
    return 0
  }
}

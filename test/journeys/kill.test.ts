// Each process of standin is killed with SIGKILL at random moments: the pod serves on, and nothing of ours remains.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from '../../protocol/programs.ts'
import { filesOfStandin, markRun, processesOf, socketsOfStandin, untilNothing } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import { type Pod, programOf, startPod } from '../stage/pod.ts'

const moments = 10
const latestMs = 1_500
const roles = ['server', 'hook', 'guard', 'agent', 'client'] as const

/** Kills whichever process of the role is there at a random moment; a role that has not begun by then is waited for. */
async function killAtRandomMoment(
  role: (typeof roles)[number],
  client: ChildProcess,
  mark: string,
  delayMs: number,
): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, delayMs)) // the random moment
  if (role === 'client') {
    client.kill('SIGKILL')
    return
  }
  const deadline = Date.now() + 10_000
  for (;;) {
    const victim = processesOf(mark).find(({ program }) => program === role)
    if (victim !== undefined) return void process.kill(victim.pid, 'SIGKILL')
    if (Date.now() > deadline || client.exitCode !== null) throw new Error(`no ${role} to kill within 10 s`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

async function stopClient(client: ChildProcess): Promise<void> {
  if (client.exitCode !== null || client.signalCode !== null) return
  client.kill('SIGTERM')
  await once(client, 'exit', { signal: AbortSignal.timeout(20_000) })
}

async function untilServing(pod: Pod): Promise<void> {
  await pod.lines.untilCount('requests at the pod', pod.lines.all.length + 20, () => true)
}

/** One life of `standin exec`, cut short; callers ask the pod all the while, and none may notice. */
async function killOnce(role: (typeof roles)[number], pod: Pod): Promise<void> {
  const mark = markRun()
  const calls = pod.call(0, 4)
  await untilServing(pod)
  const command = [process.execPath, programOf('hash-server.mjs'), '8080']
  const client = spawn(
    process.execPath,
    [
      programPath('standin'),
      'exec',
      ...(process.env.STANDIN_TEST_LOG ? ['-v'] : []),
      '-t',
      pod.target,
      '--',
      ...command,
    ],
    { env: mark.environment, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const said = linesOf(client.stderr)
  client.stdout.resume()
  const delayMs = Math.random() * latestMs
  try {
    await killAtRandomMoment(role, client, mark.value, delayMs)
    await untilServing(pod)
    await stopClient(client)
    await untilNothing('processes of standin', () => processesOf(mark.value), 20_000)
    await untilNothing('sockets of standin', socketsOfStandin)
    await untilNothing('files of standin', filesOfStandin)
  } catch (cause) {
    const lines = JSON.stringify(said.all)
    throw new Error(`killed after ${delayMs.toFixed(0)} ms; the client said ${lines}`, { cause })
  } finally {
    client.kill('SIGKILL')
    const result = await calls.stop()
    assert.deepEqual([result.wrong, result.failed], [0, 0], result.errors.join('; '))
  }
}

describe('kill -9', () => {
  let pod: Pod
  before(async () => {
    pod = await startPod()
  })
  after(() => pod.end())

  for (const role of roles) {
    it(`of the ${role} at ${moments} random moments leaves the pod serving, and nothing of ours`, async function () {
      this.timeout(180_000)
      for (let moment = 0; moment < moments; moment++) await killOnce(role, pod)
    })
  }
})

// An agent that is stopped for a while: the link is silent, is made again, and nothing is missing.
import assert from 'node:assert/strict'
import { launch } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { startBackend } from '../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { programOf, startPod } from '../stage/pod.ts'

const mark = markRun()
const isRequest = (line: string) => line.startsWith('/')
/** Without the mapping of IPv4 addresses: the pod listens on "::", the process does not. */
const requestsOf = (lines: readonly string[]) =>
  lines
    .filter(isRequest)
    .map(line => line.replace('::ffff:', ''))
    .sort()
/** On their way when the agent is stopped; the kernel's ring holds what comes in 128 times 10 ms. */
const meanwhile = 40

describe('an agent under SIGSTOP for longer than the link may be silent', () => {
  it('loses no byte of what callers sent before, meanwhile and after', async () => {
    const pod = await startPod()
    const backend = await startBackend(mark.environment)
    try {
      const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
      const command = [process.execPath, programOf('hash-server.mjs'), String(pod.port)]
      const { processId } = await backend.connection.request(launch, { sessionId, command })
      const output = backend.output(processId)
      await backend.messages.until('the capture', line => line === 'Port 8080 of the pod is captured')
      assert.equal((await pod.call(50, 5).result).answered, 50)
      await output.untilCount('requests at the process', 50, isRequest)

      const agent = processesOf(mark.value).find(({ program }) => program === 'agent')!.pid
      const calls = pod.call(meanwhile, 5)
      await output.untilCount('requests at the process', 51, isRequest)
      process.kill(agent, 'SIGSTOP')
      assert.equal((await calls.result).answered, meanwhile)
      const silent = await backend.untilStatus('the silence', ({ state }) => state === 'reconnecting', 30_000)
      assert.match(silent.reason ?? '', /^silent for \d+ s$/)
      assert.ok(output.all.filter(isRequest).length < 50 + meanwhile, 'the agent was stopped too late')
      process.kill(agent, 'SIGCONT')
      await output.untilCount('requests at the process', 50 + meanwhile, isRequest, 30_000)
      const isBack = () => backend.statuses.at(-1)?.state === 'running'
      await backend.untilStatus('the link again', isBack, 30_000)

      assert.equal((await pod.call(50, 5).result).answered, 50)
      await output.untilCount('requests at the process', 100 + meanwhile, isRequest)
      assert.deepEqual(requestsOf(output.all), requestsOf(pod.lines.all))
      await backend.connection.request(stopSession, { sessionId })
      assert.deepEqual(
        backend.messages.all.filter(line => line.startsWith('Lost')),
        [],
      )
      assert.equal(
        backend.statuses.some(({ state }) => state === 'failed'),
        false,
      )
      await backend.stop()
    } finally {
      backend.child.kill('SIGKILL')
      await pod.end()
    }
    await untilNothing('processes of standin', () => processesOf(mark.value))
  }).timeout(120_000)
})

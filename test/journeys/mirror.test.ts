// A pod's requests reach a process, whole and with their callers' addresses, while the pod alone answers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { launch, signalProcess } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import { type Pod, programOf, startPod } from '../stage/pod.ts'

const nodemon = resolve('node_modules/nodemon/bin/nodemon.js')
const isRequest = (line: string) => line.startsWith('/')
/** A line of hash-server without the local port, which is the pod's own for both. */
const requestsOf = (lines: readonly string[]) => lines.filter(isRequest).map(withoutMapping).sort()
/** The pod listens on "::", where an IPv4 caller is shown as an IPv6 address that maps it. */
const withoutMapping = (line: string) => line.replace('::ffff:', '')

/** What callers send before this is the pod's alone. */
const untilCaptured = (backend: Backend) =>
  backend.messages.until('the capture', line => line === 'Port 8080 of the pod is captured')

async function withPod(
  work: (pod: Pod, backend: Backend, sessionId: string) => Promise<void>,
  podOptions: Parameters<typeof startPod>[0] = {},
) {
  const mark = markRun()
  const pod = await startPod(podOptions)
  try {
    const backend = await startBackend(mark.environment)
    try {
      const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
      await work(pod, backend, sessionId)
      await backend.connection.request(stopSession, { sessionId })
      await backend.stop()
    } finally {
      backend.child.kill('SIGKILL')
    }
    await untilNothing('processes of standin', () => processesOf(mark.value))
  } finally {
    await pod.end()
  }
}

const listen = [process.execPath, programOf('hash-server.mjs'), '8080']

describe('a mirrored request', () => {
  it("reaches the process with the caller's address, 10,000 times from 50 callers at once, and the pod alone answers", async function () {
    this.timeout(180_000)
    await withPod(async (pod, backend, sessionId) => {
      const { processId } = await backend.connection.request(launch, { sessionId, command: listen })
      const process = backend.output(processId)
      await process.until('the process listening', line => line.startsWith('listening 8080'))
      await untilCaptured(backend)
      const result = await pod.call(10_000, 50).result
      assert.deepEqual(result, { answered: 10_000, wrong: 0, failed: 0, errors: [] })
      await process.untilCount('requests at the process', 10_000, isRequest, 60_000)
      assert.deepEqual(requestsOf(process.all), requestsOf(pod.lines.all))
    })
  })

  it('reaches a process over IPv6', async () => {
    await withPod(async (pod, backend, sessionId) => {
      const { processId } = await backend.connection.request(launch, {
        sessionId,
        command: [...listen, '::'],
      })
      const process = backend.output(processId)
      await process.until('the process listening', line => line.startsWith('listening 8080'))
      await untilCaptured(backend)
      const result = await pod.call(100, 5, pod.cable.first.ipv6).result
      assert.equal(result.answered, 100)
      await process.untilCount('requests at the process', 100, isRequest)
      assert.deepEqual(requestsOf(process.all), requestsOf(pod.lines.all))
    })
  })

  it('reaches a process that starts to listen later, on a connection that was open before the session', async () => {
    const mark = markRun()
    const pod = await startPod()
    const calls = pod.call(0, 3)
    await pod.lines.untilCount('requests at the pod', 20, isRequest)
    const backend = await startBackend(mark.environment)
    try {
      const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
      for (let round = 0; round < 2; round++) {
        const { processId } = await backend.connection.request(launch, { sessionId, command: listen })
        await backend.output(processId).untilCount('requests at the process', 50, isRequest)
        await backend.connection.request(signalProcess, { processId, signal: 'SIGTERM' })
        assert.deepEqual(await backend.exitOf(processId), { processId, code: 0 })
      }
      const result = await calls.stop()
      assert.deepEqual([result.wrong, result.failed], [0, 0])
      await backend.stop()
    } finally {
      backend.child.kill('SIGKILL')
      await pod.end()
    }
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  it('reaches a process that nodemon restarts, before and after', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'standin-nodemon-'))
    const script = join(folder, 'server.mjs')
    copyFileSync(programOf('hash-server.mjs'), script)
    try {
      await withPod(async (pod, backend, sessionId) => {
        const command = [process.execPath, nodemon, '--watch', script, script, '8080', '0.0.0.0']
        const { processId } = await backend.connection.request(launch, { sessionId, command, cwd: folder })
        const output = backend.output(processId)
        const isListening = (line: string) => line.startsWith('listening 8080')
        for (const round of [1, 2]) {
          await output.untilCount('the process listening', round, isListening)
          await untilCaptured(backend)
          assert.equal((await pod.call(50, 5).result).answered, 50)
          await output.untilCount('requests at the process', 50 * round, isRequest)
          appendFileSync(script, '// changed\n')
        }
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is not given to a program outside of the session that takes the port of a process that ended', async () => {
    await withPod(async (pod, backend, sessionId) => {
      const server = `${listen.join(' ')} & echo child $!; wait; echo waits; while :; do sleep 0.1; done`
      const { processId } = await backend.connection.request(launch, {
        sessionId,
        command: ['sh', '-c', server],
      })
      const output = backend.output(processId)
      await output.until('the process listening', line => line.startsWith('listening 8080'))
      await untilCaptured(backend)
      assert.equal((await pod.call(20, 5).result).answered, 20)
      await output.untilCount('requests at the process', 20, isRequest)
      const child = await output.until('the child', line => line.startsWith('child'))
      process.kill(Number(child.split(' ')[1]), 'SIGKILL')
      await output.until('the parent that waits', line => line === 'waits')
      const foreign = spawn(listen[0]!, listen.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
      try {
        const got = linesOf(foreign.stdout)
        await got.until('the foreign program listening', line => line.startsWith('listening 8080'))
        assert.equal((await pod.call(200, 5).result).answered, 200)
        // Which of the two it is depends on when the server looks at its listeners again.
        const why = /(a program outside of the session has|nothing listens on) port 8080/
        await backend.messages.until('the loss', line => why.test(line))
        assert.deepEqual(got.all, ['listening 8080'])
      } finally {
        foreign.kill('SIGKILL')
      }
    })
  })

  it("reaches a process that listens on another port by port_mapping, and shows it the pod's environment", async () => {
    const pod = await startPod()
    const backend = await startBackend()
    try {
      const config = {
        feature: { network: { incoming: { port_mapping: [[9090, 8080]] as [number, number][] } } },
      }
      const { sessionId, environment } = await backend.connection.request(startSession, {
        target: pod.target,
        config,
      })
      assert.equal(environment.set.SHOP_REGION, 'pod')
      const command = [process.execPath, '-e', 'console.log("region " + process.env.SHOP_REGION)']
      const shown = await backend.connection.request(launch, { sessionId, command })
      await backend.output(shown.processId).until('the environment', line => line === 'region pod')
      const { processId } = await backend.connection.request(launch, {
        sessionId,
        command: [process.execPath, programOf('hash-server.mjs'), '9090'],
      })
      await backend.output(processId).until('the process listening', line => line === 'listening 9090')
      await untilCaptured(backend)
      assert.equal((await pod.call(50, 5).result).answered, 50)
      await backend.output(processId).untilCount('requests at the process', 50, isRequest)
      await backend.stop()
    } finally {
      backend.child.kill('SIGKILL')
      await pod.end()
    }
  })
})

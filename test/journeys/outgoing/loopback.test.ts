// Connections to loopback: what listens on this machine stays here, the pod's sidecars are reached, and the process's own port is nobody's until it listens.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { launch } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from '../../stage/backend.ts'
import { markRun, processesOf, untilNothing } from '../../stage/leftovers.ts'
import { linesOf } from '../../stage/lines.ts'
import { type Pod, programOf, startPod } from '../../stage/pod.ts'

const mark = markRun()
const sidecarPort = 15_000
const localPort = 15_001

describe('a connection to loopback', () => {
  let pod: Pod
  let sidecar: ChildProcess
  let backend: Backend
  let local: Server
  before(async () => {
    pod = await startPod()
    sidecar = pod.namespace.spawn('python3', [programOf('echo-service.py'), '::', String(sidecarPort)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await linesOf(sidecar.stdout).until('the sidecar listening', line => line === 'listening')
    local = createServer(socket => socket.end('this machine'))
    await new Promise<void>(resolve => local.listen(localPort, '127.0.0.1', resolve))
    backend = await startBackend(mark.environment)
  })
  after(async () => {
    await backend?.stop()
    local?.close()
    sidecar?.kill('SIGKILL')
    await pod?.end()
    await untilNothing('processes of standin', () => processesOf(mark.value))
  })

  /** What a hooked program hears on each of these ports of 127.0.0.1. */
  async function heard(ports: readonly number[], outgoing?: object): Promise<string[]> {
    const config = outgoing === undefined ? {} : { config: { feature: { network: { outgoing } } } }
    const { sessionId } = await backend.connection.request(startSession, { target: pod.target, ...config })
    const script = `
import socket, sys
for port in sys.argv[1:]:
    try:
        made = socket.create_connection(("127.0.0.1", int(port)), 20)
        made.sendall(b"hello\\n")
        made.shutdown(socket.SHUT_WR)
        print("heard", made.makefile().read().strip().split(" ")[-1], flush=True)
    except OSError as failure:
        print("heard", type(failure).__name__, flush=True)`
    const command = ['python3', '-c', script, ...ports.map(String)]
    const { processId } = await backend.connection.request(launch, { sessionId, command })
    const output = backend.output(processId)
    await output.untilCount('answers', ports.length, line => line.startsWith('heard'))
    await backend.connection.request(stopSession, { sessionId })
    return output.all.filter(line => line.startsWith('heard')).map(line => line.slice(6))
  }

  it("reaches what listens here, the pod's sidecar where nothing does, and never the port that the process stands in for", async () => {
    const refused = 'ConnectionRefusedError'
    assert.deepEqual(await heard([localPort, sidecarPort, pod.port, 15_002]), [
      'machine',
      'hello',
      refused,
      refused,
    ])
  })

  it('stays here altogether when the configuration says so', async () => {
    const refused = 'ConnectionRefusedError'
    for (const outgoing of [{ ignore_localhost: true }, { tcp: false }, false] as const)
      assert.deepEqual(await heard([localPort, sidecarPort], outgoing as object), ['machine', refused])
  })
})

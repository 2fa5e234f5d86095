// A session at a stand-in pod, and a service among the pod's callers: what only the pod reaches.
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { type Backend, startBackend } from './backend.ts'
import { linesOf } from './lines.ts'
import { type Pod, startPod } from './pod.ts'

export type Reaching = {
  readonly pod: Pod
  readonly backend: Backend
  readonly sessionId: string
  end(): Promise<void>
}

/** `service` is a command that prints "listening"; `environment` is the server's. */
export async function startReaching(
  environment: NodeJS.ProcessEnv,
  service: readonly [string, ...string[]],
): Promise<Reaching> {
  const pod = await startPod()
  const [program, ...args] = service
  const child = pod.callers.spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await linesOf(child.stdout).until('the service listening', line => line === 'listening')
  const backend = await startBackend(environment)
  const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
  return {
    ...{ pod, backend, sessionId },
    async end() {
      await backend.connection.request(stopSession, { sessionId })
      await backend.stop()
      await pod.end()
    },
  }
}

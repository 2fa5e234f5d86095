// A session at a stand-in pod, and a service among the pod's callers: what only the pod reaches.
import type { SessionConfig } from '../../protocol/config.ts'
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

/** `service` is a command that prints "listening"; `environment` is the server's, `command` the pod's own program. */
export async function startReaching(
  environment: NodeJS.ProcessEnv,
  service: readonly [string, ...string[]],
  options: Parameters<typeof startPod>[0] & {
    config?: SessionConfig
    /** Called before the session starts. */
    ready?: (pod: Pod) => Promise<void>
  } = {},
): Promise<Reaching> {
  const { config, ready, ...podOptions } = options
  const pod = await startPod(podOptions)
  const [program, ...args] = service
  const child = pod.callers.spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await linesOf(child.stdout).until('the service listening', line => line === 'listening')
  await ready?.(pod)
  const backend = await startBackend(environment)
  const { sessionId } = await backend.connection.request(startSession, {
    target: pod.target,
    ...(config === undefined ? {} : { config }),
  })
  return {
    ...{ pod, backend, sessionId },
    async end() {
      await backend.connection.request(stopSession, { sessionId })
      await backend.stop()
      await pod.end()
    },
  }
}

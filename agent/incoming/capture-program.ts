// Where the code of the capture thread comes from: a file beside the agent, or memory where the agent was delivered into a pod.
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { programPath } from '../../protocol/programs.ts'

let delivered: string | undefined

/** From then on threads are made of this code, because a delivered agent leaves no file in its container. */
export function captureFrom(code: string): void {
  delivered = code
}

export function startCaptureThread(options: WorkerOptions): Worker {
  return delivered === undefined
    ? new Worker(programPath('agent-capture'), options)
    : new Worker(delivered, { ...options, eval: true })
}

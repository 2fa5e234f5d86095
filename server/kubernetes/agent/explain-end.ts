// Why an agent's container ended, with its last lines; pure.
import type { V1ContainerStateTerminated } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import { clip } from '../targets/pod-state.ts'

/** Codes of the bootstrap; source: protocol/agent/delivery.ts. */
export const portTakenCode = 98
const undeliveredCode = 75

/** `agent-crashed`; the last lines are those that the kubelet keeps of a container that failed. */
export function containerEnd(end: V1ContainerStateTerminated): Failure {
  const started = end.reason !== 'StartError' && end.reason !== 'ContainerCannotRun'
  if (!started) return new Failure('agent-crashed', { how: startError(end.message ?? ''), log: 'nothing' })
  return new Failure('agent-crashed', { how: howEnded(end), log: lastLines(end.message) })
}

export function howEnded({ exitCode, signal, reason }: V1ContainerStateTerminated): string {
  if (reason === 'OOMKilled') return 'OOMKilled, it needed more memory than agent.resources.limits'
  if (exitCode === undeliveredCode) return `exit code ${exitCode}, no server came to it in time`
  if (exitCode === portTakenCode) return `exit code ${exitCode}, its port is taken`
  if (signal !== undefined && signal > 0) return `signal ${signal}`
  return exitCode > 128 && exitCode < 160
    ? `signal ${exitCode - 128}`
    : `exit code ${exitCode}${reason === undefined || reason === 'Error' || reason === 'Completed' ? '' : ` (${reason})`}`
}

/** runc's error stands at the end of what every layer above it adds. */
function startError(message: string): string {
  const text =
    /(exec: .*?|unable to start container process: .*?)(: unknown)?$/s.exec(message)?.[1] ?? message
  return clip(`an error before it ran: ${text}`)
}

function lastLines(message: string | undefined): string {
  const lines = (message ?? '').split('\n').filter(line => line.trim() !== '')
  return lines.length === 0 ? 'nothing' : clip(lines.slice(-5).join(' / '))
}

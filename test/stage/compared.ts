// Runs a program in a session and inside of the pod, for what it says and exits with to be compared.
import { launch } from '../../protocol/rpc/processes.ts'
import { linesOf } from './lines.ts'
import type { Reaching } from './reaching.ts'

/** Everything that it printed, in any order, without the times that it names. */
export type Ended = { code: number | undefined; lines: string[] }

const ended = (code: number | undefined, lines: readonly string[]): Ended => ({
  code,
  lines: lines
    .filter(line => line !== '')
    .map(line => line.replace(/after \d+ ms/, 'after 0 ms'))
    .sort(),
})

export async function inSession({ backend, sessionId }: Reaching, command: string[]): Promise<Ended> {
  const { processId } = await backend.connection.request(launch, { sessionId, command })
  const { code } = await backend.exitOf(processId, 60_000)
  return ended(code, [...backend.output(processId).all, ...backend.output(processId, 'stderr').all])
}

/** With the pod's network, files and host name. */
export async function inPod({ pod }: Reaching, command: string[]): Promise<Ended> {
  const inside = ['nsenter', '--target', String(pod.server.pid), '--mount', '--uts', '--', ...command]
  const [program, ...args] = inside
  const child = pod.namespace.spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const stdout = linesOf(child.stdout)
  const stderr = linesOf(child.stderr)
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return ended(code ?? -1, [...stdout.all, ...stderr.all])
}

// What the pod costs a process that calls a service: the same calls by a process of a session and by one that reaches the service directly, interleaved.
import { launch } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import type { Backend } from '../stage/backend.ts'
import { linesOf } from '../stage/lines.ts'
import type { Pod } from '../stage/pod.ts'
import type { Programs } from './compile.ts'
import { type Comparison, compared } from './measure.ts'

const bytes = String(1 << 30)
const servicePort = 9100
const kept = '2000'

type Said = Record<string, number>
type Run = (...words: string[]) => Promise<Said>

export async function benchOutgoing(
  backend: Backend,
  { pod, programs, runs }: { pod: Pod; programs: Programs; runs: number },
): Promise<Comparison[]> {
  const service = pod.callers.spawn(programs.load, ['serve', `0.0.0.0:${servicePort}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await linesOf(service.stdout).until('the service listening', line => line === 'listening')
  const address = `${pod.cable.second.ipv4}:${servicePort}`
  const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
  const direct: Run = async (...words) => JSON.parse(await pod.namespace.run(programs.load, ...words))
  const inSession: Run = async (...words) => {
    const command = [programs.load, ...words]
    const { processId } = await backend.connection.request(launch, { sessionId, command })
    await backend.exitOf(processId)
    return JSON.parse(backend.output(processId).all.at(-1) ?? '{}')
  }
  const measures: readonly [name: string, unit: string, figure: string, words: string[]][] = [
    ['1 GiB download', 's', 'seconds', ['download', address, bytes]],
    ['1 GiB upload', 's', 'seconds', ['upload', address, bytes]],
    ['request p50 on a kept connection', 'us', 'p50Us', ['requests', address, kept, '1']],
    ['request p99 on a kept connection', 'us', 'p99Us', ['requests', address, kept, '1']],
  ]
  const figures = measures.map(() => ({ direct: [] as number[], inSession: [] as number[] }))
  try {
    for (let run = 0; run < runs; run++)
      for (const [index, [, , figure, words]] of measures.entries()) {
        figures[index]!.direct.push((await direct(...words))[figure]!)
        figures[index]!.inSession.push((await inSession(...words))[figure]!)
      }
  } finally {
    await backend.connection.request(stopSession, { sessionId })
    service.kill('SIGKILL')
  }
  return measures.map(([name, unit], index) =>
    compared(
      `${name}, through the pod against from inside of it`,
      unit,
      figures[index]!.direct,
      figures[index]!.inSession,
    ),
  )
}

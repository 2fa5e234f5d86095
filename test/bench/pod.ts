// What a session costs the pod: its requests and a 1 GiB download, mirrored, and viewed too, against not, interleaved.
// The pod, its callers and the agent share one processor, as on a node, and the server and the process have another, as on a laptop.
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { launch } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import { stopTraffic, streamTraffic } from '../../protocol/rpc/traffic.ts'
import type { Backend } from '../stage/backend.ts'
import { processesOf } from '../stage/leftovers.ts'
import type { Pod } from '../stage/pod.ts'
import type { Programs } from './compile.ts'
import { type Comparison, compared } from './measure.ts'

const downloadBytes = 1 << 30
const requestCount = '4000'
const callerCounts = [1, 10] as const
/** How a pod is looked at: not at all, copied to a process, and shown in a view besides, without and with bodies. */
const kinds = ['alone', 'mirrored', 'heads viewed', 'bodies viewed'] as const
const viewedBytes = 65_536
const unbounded = 1_000_000_000

/** Processors by their numbers. */
const node = 0
const laptop = 1

type Kind = (typeof kinds)[number]
type Figures = { p50: number[]; p99: number[] }
type Measured = { requests: Map<number, Figures>; download: number[] }

export async function benchPod(
  backend: Backend,
  mark: string,
  { pod, programs, runs }: { pod: Pod; programs: Programs; runs: number },
): Promise<Comparison[]> {
  if (availableParallelism() < 2) throw new Error('Cannot measure the pod: one processor is not enough')
  pin([pod.server.pid!], node)
  pin([backend.child.pid!], laptop)
  const measured = new Map(kinds.map(kind => [kind, noFigures()]))
  const measure = (kind: Kind) => measureOnce(pod, programs, measured.get(kind)!)
  const withSession = async () => {
    const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
    pin(agentsOf(mark), node)
    const { processId } = await backend.connection.request(launch, {
      sessionId,
      command: [programs.load, 'stand', `0.0.0.0:${pod.port}`],
      stdin: 'pipe',
    })
    await backend.output(processId).until('the process listening', line => line === 'listening', 60_000)
    await measure('mirrored')
    for (const [kind, bodyBytes] of [
      ['heads viewed', 0],
      ['bodies viewed', viewedBytes],
    ] as const) {
      const { trafficId } = await backend.connection.request(streamTraffic, {
        sessionId,
        credit: unbounded,
        bodyBytes,
      })
      await measure(kind)
      await backend.connection.request(stopTraffic, { trafficId })
    }
    await backend.connection.request(stopSession, { sessionId })
  }
  await measureOnce(pod, programs, noFigures())
  for (let run = 0; run < runs; run++) {
    if (run % 2 === 0) await measure('alone')
    await withSession()
    if (run % 2 === 1) await measure('alone')
  }
  return comparisons(measured)
}

const agentsOf = (mark: string): number[] =>
  processesOf(mark)
    .filter(({ program }) => program === 'agent')
    .map(({ pid }) => pid)

/** All threads of the processes; what they start later stays there too (sched_setaffinity(2)). */
function pin(pids: readonly number[], processor: number): void {
  if (pids.length === 0) throw new Error('Cannot place a process: it is not there')
  for (const pid of pids) execFileSync('taskset', ['-acp', String(processor), String(pid)])
}

function noFigures(): Measured {
  return { requests: new Map(callerCounts.map(callers => [callers, { p50: [], p99: [] }])), download: [] }
}

async function measureOnce(pod: Pod, { load }: Programs, into: Measured): Promise<void> {
  const address = `${pod.cable.first.ipv4}:${pod.port}`
  for (const [callers, { p50, p99 }] of into.requests) {
    const requests = JSON.parse(await atNode(pod, load, 'requests', address, requestCount, String(callers)))
    if (requests.failed > 0) throw new Error(`Cannot measure the pod: ${requests.failed} requests failed`)
    p50.push(requests.p50Us)
    p99.push(requests.p99Us)
  }
  const download = await atNode(pod, load, 'download', address, String(downloadBytes))
  into.download.push(JSON.parse(download).seconds)
}

const atNode = (pod: Pod, ...command: string[]): Promise<string> =>
  pod.callers.run('taskset', '-c', String(node), ...command)

function comparisons(measured: ReadonlyMap<Kind, Measured>): Comparison[] {
  const alone = measured.get('alone')!
  return kinds.slice(1).flatMap(kind => {
    const { requests, download } = measured.get(kind)!
    const goal = kind === 'mirrored' ? ' (goal: no difference)' : ''
    const byCallers = callerCounts.flatMap(callers =>
      (['p50', 'p99'] as const).map(figure =>
        compared(
          `request ${figure} of ${callers} caller${callers === 1 ? '' : 's at once'}, ${kind} against not${goal}`,
          'us',
          alone.requests.get(callers)![figure],
          requests.get(callers)![figure],
        ),
      ),
    )
    return [
      ...byCallers,
      compared(`1 GiB download, ${kind} against not${goal}`, 's', alone.download, download),
    ]
  })
}

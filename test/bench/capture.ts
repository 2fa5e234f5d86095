// How fast the agent captures, and the CPU that it takes: alone, over the pod's loopback, and as a whole session, with the link to the server.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { launch } from '../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../protocol/rpc/sessions.ts'
import type { Backend } from '../stage/backend.ts'
import { type Leftover, processesOf } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import type { Pod } from '../stage/pod.ts'
import type { Programs } from './compile.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import { median } from './measure.ts'

const uploadBytes = 4 * (1 << 30)

export async function benchCapture(pod: Pod, programs: Programs): Promise<string[]> {
  const child = pod.namespace.spawn(
    resolve('node_modules/.bin/tsx'),
    ['test/bench/capture-in-pod.ts', String(pod.port)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const lines = linesOf(child.stdout)
  await lines.until('the capture', line => line === 'capturing', 60_000)
  const { seconds } = JSON.parse(
    await pod.namespace.run(programs.load, 'upload', `127.0.0.1:${pod.port}`, String(uploadBytes)),
  )
  child.stdin!.end()
  const counted = JSON.parse(await lines.until('the counters', line => line.startsWith('{'), 60_000))
  const gigabytes = counted.bytes / 1e9
  return [
    `capture on loopback (goal: 1 GB/s): sent at ${(uploadBytes / 1e9 / seconds).toFixed(2)} GB/s, captured ${gigabytes.toFixed(2)} of ${(uploadBytes / 1e9).toFixed(2)} GB, ${counted.ringDrops} packets dropped of ${counted.packets + counted.ringDrops}, ${counted.gaps} gaps`,
    `CPU of the capture alone, without a link: ${(counted.cpuSeconds / gigabytes).toFixed(2)} s per GB captured`,
  ]
}

/** At a pace that a process on a busy machine can follow: a copy that waits with more than 1 MiB is ended, and then nothing is carried. */
const uploads = 4
const bytesEach = 1 << 23
const sessionBytes = uploads * bytesEach
const bytesPerSecond = 2_000_000

/** CPU of each process of a session while a caller uploads to the pod: the agent captures, the link carries, the server delivers. */
export async function benchSessionCpu(
  backend: Backend,
  mark: string,
  { pod, programs, runs }: { pod: Pod; programs: Programs; runs: number },
): Promise<string[]> {
  const { sessionId } = await backend.connection.request(startSession, { target: pod.target })
  const command = [programs.load, 'stand', `0.0.0.0:${pod.port}`]
  const { processId } = await backend.connection.request(launch, { sessionId, command, stdin: 'pipe' })
  await backend.output(processId).until('the process listening', line => line === 'listening', 60_000)
  await backend.messages.until(
    'the capture of the port',
    line => line.endsWith('of the pod is captured'),
    60_000,
  )
  const measured: { carried: number; cpu: Map<string, number> }[] = []
  for (let run = 0; run < runs; run++) {
    const ours = processesOf(mark).filter(({ program }) => program !== 'other')
    const before = cpuOf(ours)
    const carriedBefore = writtenBy(ours, 'agent')
    const address = `${pod.cable.first.ipv4}:${pod.port}`
    const words = ['upload', address, String(bytesEach), String(bytesPerSecond)]
    await Promise.all(Array.from({ length: uploads }, () => pod.callers.run(programs.load, ...words)))
    const after = cpuOf(ours)
    measured.push({
      carried: (writtenBy(ours, 'agent') - carriedBefore) / 1e9,
      cpu: new Map([...after].map(([program, value]) => [program, value - (before.get(program) ?? 0)])),
    })
  }
  await backend.connection.request(stopSession, { sessionId })
  const middle = (of: (run: (typeof measured)[number]) => number) => median(measured.map(of))
  const programsSeen = [...new Set(measured.flatMap(({ cpu }) => [...cpu.keys()]))].sort()
  const carried = middle(run => run.carried)
  const sent = sessionBytes / 1e9
  const line = `${uploads} uploads at ${bytesPerSecond / 1e6} MB/s each, in a session: ${carried.toFixed(2)} of ${sent.toFixed(2)} GB went over the link (${runs} runs, middle one)`
  if (carried < sent * 0.9)
    return [
      `${line}; no CPU time a GB, since a process that is too slow loses its copy: is this machine busy?`,
    ]
  return [
    line,
    ...programsSeen.map(
      program =>
        `CPU of the ${program} in a session: ${middle(({ cpu, carried }) => (cpu.get(program) ?? 0) / carried).toFixed(2)} s per GB carried`,
    ),
  ]
}

/** By program. */
function cpuOf(processes: readonly Leftover[]): Map<string, number> {
  const seconds = new Map<string, number>()
  for (const { pid, program } of processes)
    seconds.set(program, (seconds.get(program) ?? 0) + cpuSeconds(pid))
  return seconds
}

/** Bytes that a program wrote, to sockets too: "wchar" of /proc/PID/io (proc(5)). */
function writtenBy(processes: readonly Leftover[], name: string): number {
  return processes
    .filter(({ program }) => program === name)
    .reduce(
      (sum, { pid }) => sum + Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]),
      0,
    )
}

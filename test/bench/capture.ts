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

const sessionBytes = 1 << 30

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
  const measured: { rate: number; carried: number; cpu: Map<string, number> }[] = []
  for (let run = 0; run < runs; run++) {
    const ours = processesOf(mark).filter(({ program }) => program !== 'other')
    const before = cpuOf(ours)
    const carriedBefore = writtenBy(ours, 'agent')
    const address = `${pod.cable.first.ipv4}:${pod.port}`
    const { seconds } = JSON.parse(
      await pod.callers.run(programs.load, 'upload', address, String(sessionBytes)),
    )
    const after = cpuOf(ours)
    measured.push({
      rate: sessionBytes / 1e9 / seconds,
      carried: (writtenBy(ours, 'agent') - carriedBefore) / 1e9,
      cpu: new Map([...after].map(([program, value]) => [program, value - (before.get(program) ?? 0)])),
    })
  }
  await backend.connection.request(stopSession, { sessionId })
  const middle = (of: (run: (typeof measured)[number]) => number) => median(measured.map(of))
  const programsSeen = [...new Set(measured.flatMap(({ cpu }) => [...cpu.keys()]))].sort()
  const sent = sessionBytes / 1e9
  return [
    `a session's upload: sent at ${middle(({ rate }) => rate).toFixed(2)} GB/s, ${middle(({ carried }) => carried).toFixed(2)} of ${sent.toFixed(2)} GB went over the link (${runs} runs; what the process is too slow for ends its copy, not the caller)`,
    ...programsSeen.map(
      program =>
        `CPU of the ${program} in a session: ${(middle(({ cpu }) => cpu.get(program) ?? 0) / sent).toFixed(2)} s per GB sent`,
    ),
    `CPU of the agent in a session: ${middle(({ cpu, carried }) => (cpu.get('agent') ?? 0) / carried).toFixed(2)} s per GB that the link carried`,
  ]
}

const ticksPerSecond = 100

/** Seconds by program: user and system time of all its threads, fields 14 and 15 of /proc/PID/stat in ticks of 1/100 s (proc(5)). */
function cpuOf(processes: readonly Leftover[]): Map<string, number> {
  const seconds = new Map<string, number>()
  for (const { pid, program } of processes) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name of the program, field 2, is in parentheses and can hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    seconds.set(program, (seconds.get(program) ?? 0) + ticks / ticksPerSecond)
  }
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

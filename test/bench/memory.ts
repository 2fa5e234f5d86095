// Memory of each of our processes while "standin exec" runs a command that gets copies: the proportional set size, from
// /proc/PID/smaps_rollup (proc(5)), after load and during it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { programPath } from '../../protocol/programs.ts'
import { type Leftover, markRun, processesOf } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import type { Pod } from '../stage/pod.ts'
import type { Programs } from './compile.ts'

const requestCount = '40000'
const callers = '10'

export async function benchMemory(pod: Pod, { load }: Programs): Promise<string[]> {
  const mark = markRun()
  const words = ['exec', '-t', pod.target, '--', load, 'stand', `0.0.0.0:${pod.port}`]
  const child = spawn(process.execPath, [programPath('standin'), ...words], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: mark.environment,
  })
  try {
    await linesOf(child.stdout).until('the process listening', line => line === 'listening', 60_000)
    const idle = memoryOf(processesOf(mark.value))
    const most = new Map(idle)
    let over = false
    const address = `${pod.cable.first.ipv4}:${pod.port}`
    const requests = pod.callers.run(load, 'requests', address, requestCount, callers).finally(() => {
      over = true
    })
    while (!over) {
      for (const [name, mebibytes] of memoryOf(processesOf(mark.value)))
        most.set(name, Math.max(most.get(name) ?? 0, mebibytes))
      await new Promise(resolve => setTimeout(resolve, 100)) // ten looks a second while the callers call
    }
    await requests
    return [...most]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, mebibytes]) => {
        const before = idle.get(name)
        return `memory of the ${name}: ${before === undefined ? 'not there' : `${before.toFixed(0)} MiB`} idle, at most ${mebibytes.toFixed(0)} MiB under ${callers} callers`
      })
  } finally {
    if (child.exitCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
  }
}

/** MiB by name of the process. */
function memoryOf(processes: readonly Leftover[]): Map<string, number> {
  return new Map(
    processes
      .filter(({ program }) => program !== 'other')
      .flatMap(({ program, pid }) => {
        const kilobytes = Number(/^Pss:\s+(\d+)/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1])
        return Number.isNaN(kilobytes) ? [] : [[nameOf(program, pid), kilobytes / 1024] as const]
      }),
  )
}

/** The supervisor that has a command is another one than the one that waits for the next. */
function nameOf(program: string, pid: number): string {
  if (program === 'standin') return 'client (standin exec)'
  if (program !== 'hook') return program
  return hasChildren(pid) ? 'supervisor of the command' : 'supervisor that waits for the next one'
}

/** Each thread has children of its own (proc(5)). */
function hasChildren(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some(
      thread => textOf(`/proc/${pid}/task/${thread}/children`) !== '',
    )
  } catch {
    return false // gone
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone
  }
}

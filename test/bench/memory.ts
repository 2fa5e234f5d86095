// Memory of each of our processes in a session that runs a command: the proportional set size, from /proc/PID/smaps_rollup (proc(5)).
import { readFileSync } from 'node:fs'
import type { Leftover } from '../stage/leftovers.ts'

export function memoryOf(processes: readonly Leftover[]): string[] {
  return processes
    .filter(({ program }) => program !== 'other')
    .map(({ program, pid }) => {
      const kilobytes = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
      return `memory of the ${program}: ${(kilobytes / 1024).toFixed(0)} MiB`
    })
    .sort()
}

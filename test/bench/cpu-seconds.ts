// Seconds of processor time that a process has taken, with all its threads.
import { readFileSync } from 'node:fs'

/** As Linux counts them for programs, on every machine (USER_HZ, time(7)). */
const ticksPerSecond = 100

/** User and system time, fields 14 and 15 of /proc/PID/stat (proc(5)). Throws when there is no such process. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name of the program, field 2, is in parentheses and can hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

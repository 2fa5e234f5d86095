// Watches and ends a command whose supervisor was killed: it is no child of ours, so its end is seen in /proc.
import { readdirSync, readFileSync } from 'node:fs'
import { carriesMark } from '../../protocol/hook/mark.ts'

const lookEveryMs = 300

export type CommandWatch = {
  readonly gone: Promise<void>
  signal(name: string): void
  end(killAfterMs: number): Promise<void>
}

/** `pid` is the command; everything that it started carries `processId` in its environment. */
export function commandWatch(pid: number, processId: string): CommandWatch {
  const startTime = startTimeOf(pid)
  const alive = () => startTime !== undefined && startTimeOf(pid) === startTime
  const gone = new Promise<void>(resolve => {
    const look = () => {
      if (!alive()) resolve()
      else setTimeout(look, lookEveryMs)
    }
    look()
  })
  const signal = (name: string) => {
    if (alive()) kill(pid, name)
  }
  return {
    gone,
    signal,
    async end(killAfterMs) {
      signal('SIGTERM')
      const timer = setTimeout(() => signal('SIGKILL'), killAfterMs)
      await gone
      clearTimeout(timer)
      killMarked(processId)
    },
  }
}

/** Ends a command whose pid was never told; it may be about to begin, which is when it gets its mark. */
export function endMarked(processId: string): void {
  killMarked(processId)
  setTimeout(() => killMarked(processId), lookEveryMs)
}

function killMarked(processId: string): void {
  for (const pid of markedProcesses(processId)) kill(pid, 'SIGKILL')
}

function kill(pid: number, name: string): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has just ended.
  }
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)), which tells a reused pid; undefined when the process is gone or a zombie. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** Hooked processes of this command, wherever they are; its supervisor, which carries the mark too, has no filter. */
export function markedProcesses(processId: string): number[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .map(Number)
    .filter(
      pid =>
        carriesMark({ limits: readProc(pid, 'limits'), environ: readProc(pid, 'environ') }, processId) &&
        /^Seccomp:\s*2$/m.test(readProc(pid, 'status')) &&
        startTimeOf(pid) !== undefined,
    )
}

/** Empty when the process is gone or may not be looked into. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

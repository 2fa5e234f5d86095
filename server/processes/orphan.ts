// Watches and ends a command whose supervisor was killed: it is no child of ours, so its end is seen in /proc.
import { readdirSync, readFileSync } from 'node:fs'
import { carriesMark } from '../../protocol/hook/mark.ts'

const lookEveryMs = 300

export type CommandWatch = {
  /** Resolves when the command itself has ended. */
  readonly exited: Promise<void>
  /** Resolves when nothing of it runs any more. */
  readonly gone: Promise<void>
  /** To the command, or to what it left behind when it has ended. */
  signal(name: string): void
  end(killAfterMs: number): Promise<void>
}

/** `pid` is the command; everything that it started carries the mark of `processId`. */
export function commandWatch(pid: number, processId: string): CommandWatch {
  const isCommandAlive = aliveness(pid)
  /** Those that are looked at, so that all processes of this machine need not be, as long as one of them lives. */
  let known = [isCommandAlive]
  let isKilling = false
  let setExited = () => {}
  let setGone = () => {}
  const exited = new Promise<void>(resolve => (setExited = resolve))
  const gone = new Promise<void>(resolve => (setGone = resolve))

  function look(): void {
    if (!isCommandAlive()) setExited()
    if (isKilling || !known.some(isAlive => isAlive())) {
      if (isKilling) killMarked(processId)
      const left = markedProcesses(processId)
      known = left.map(aliveness)
      if (left.length === 0 && !isCommandAlive()) {
        setGone()
        return
      }
    }
    setTimeout(look, lookEveryMs)
  }
  const signal = (name: string) => {
    for (const one of isCommandAlive() ? [pid] : markedProcesses(processId)) kill(one, name)
  }
  look()
  return {
    exited,
    gone,
    signal,
    async end(killAfterMs) {
      for (const one of new Set([...(isCommandAlive() ? [pid] : []), ...markedProcesses(processId)])) {
        kill(one, 'SIGTERM')
        kill(one, 'SIGCONT')
      }
      const timer = setTimeout(() => (isKilling = true), killAfterMs)
      await gone
      clearTimeout(timer)
    },
  }
}

/** Whether this very process lives, and not another one that got its number. */
function aliveness(pid: number): () => boolean {
  const startTime = startTimeOf(pid)
  return () => startTime !== undefined && startTimeOf(pid) === startTime
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

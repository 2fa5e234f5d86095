// How the processes of one command are known from all others of this machine, by what each inherits from the one that started it.

/** The environment variable that holds the processId of every hooked process; a program may start others without it, or write over it. */
export const processMark = 'STANDIN_PROCESS'

/**
 * RLIMIT_LOCKS in every hooked process: a number of file locks that Linux has not looked at since 2.4.25 (getrlimit(2)). No program changes
 * it, every child inherits it whatever becomes of its environment, session and parents, and /proc/PID/limits shows it to everyone. It is
 * between 2^61 and 2^62, far from any limit that somebody may have set, and made from the processId (FNV-1a, 64 bits).
 */
export function markLimit(processId: string): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(processId))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & (2n ** 64n - 1n)
  return 2n ** 61n + (hash >> 3n)
}

/** Whether a process is one of this command, by the texts of its /proc/PID/limits and /proc/PID/environ (empty when they cannot be read). */
export function carriesMark(process: { limits: string; environ: string }, processId: string): boolean {
  const limit = /^Max file locks\s+(\d+)\s/m.exec(process.limits)?.[1]
  return (
    limit === String(markLimit(processId)) ||
    process.environ.split('\0').includes(`${processMark}=${processId}`)
  )
}

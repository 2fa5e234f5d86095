// The limit of open files that the command would have had without Node, which raises its own (getrlimit(2), prlimit(2)).
import { readlinkSync } from 'node:fs'
import { declare } from './libc.ts'
import { readProc, readStat } from './processes.ts'

const RLIMIT_CORE = 4
const RLIMIT_NOFILE = 7
const RLIMIT_LOCKS = 10
/** Far more than any chain of launchers. */
const ancestorLimit = 64
const prlimit = declare<[number, number, Buffer | null, Buffer | null]>('int prlimit(int, int, void*, void*)')

/** The soft limit of the nearest ancestor that is not Node; undefined when none can be read. */
export function callersDescriptorLimit(): bigint | undefined {
  let pid = process.ppid
  for (let step = 0; step < ancestorLimit && pid > 0; step++) {
    if (executable(pid) !== process.execPath) return softLimit(readProc(pid, 'limits'))
    pid = readStat(pid)?.parent ?? 0
  }
  return undefined
}

/** What this process and its children can raise their limit to. */
export const ownHardLimit = (): bigint | undefined => hardLimit(readProc('self', 'limits'))

/** The hard limit of open files in the text of /proc/PID/limits. */
export function hardLimit(limits: string): bigint | undefined {
  const found = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1]
  return found === undefined ? undefined : BigInt(found)
}

/** The soft limit of open files in the text of /proc/PID/limits. */
export function softLimit(limits: string): bigint | undefined {
  const found = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return found === undefined ? undefined : BigInt(found)
}

function executable(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return undefined
  }
}

/** Runs something under another soft limit of open files; the limit is the whole process's, so this must be short. */
export function withDescriptorLimit<T>(soft: bigint | undefined, run: () => T): T {
  // struct rlimit: u64 soft, u64 hard
  const own = Buffer.alloc(16)
  if (soft === undefined || prlimit(0, RLIMIT_NOFILE, null, own) < 0) return run()
  const lowered = Buffer.from(own)
  const hard = own.readBigUInt64LE(8)
  lowered.writeBigUInt64LE(soft < hard ? soft : hard, 0)
  prlimit(0, RLIMIT_NOFILE, lowered, null)
  try {
    return run()
  } finally {
    prlimit(0, RLIMIT_NOFILE, own, null)
  }
}

/** Marks this process and all that it starts; a negative errno where a lower limit is set that this user may not raise. */
export function markByLimit(mark: bigint): number {
  const both = Buffer.alloc(16)
  both.writeBigUInt64LE(mark, 0)
  both.writeBigUInt64LE(mark, 8)
  return prlimit(0, RLIMIT_LOCKS, both, null)
}

/** No core file of our own when we die by the command's signal: the command has left its. */
export const forbidCore = (): number => prlimit(0, RLIMIT_CORE, Buffer.alloc(16), null)

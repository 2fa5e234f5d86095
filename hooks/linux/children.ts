// Children of the supervisor: becoming the one that orphans are given to, reaping those, and seeing the command stop (waitid(2), prctl(2)).
import { declare } from './libc.ts'

const PR_SET_CHILD_SUBREAPER = 36
const P_ALL = 0
const P_PID = 1
const WNOHANG = 1
const WSTOPPED = 2
const WEXITED = 4
const WCONTINUED = 8
const WNOWAIT = 0x1000000
const CLD_STOPPED = 5
/** One round of reaping; the next SIGCHLD goes on. */
const roundLimit = 4096

const prctl = declare<[number, number, number, number, number]>('int prctl(int, ulong, ulong, ulong, ulong)')
const waitid = declare<[number, number, Buffer, number]>('int waitid(int, int, void*, int)')

export const becomeSubreaper = (): number => prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

// siginfo_t of SIGCHLD: s32 signo, s32 errno, s32 code, 4 bytes of padding, s32 pid at 16, u32 uid at 20, s32 status at 24
function wait(kind: number, pid: number, options: number): { pid: number; code: number; status: number } {
  const found = Buffer.alloc(128)
  const result = waitid(kind, pid, found, options)
  return result < 0
    ? { pid: 0, code: 0, status: 0 }
    : { pid: found.readInt32LE(16), code: found.readInt32LE(8), status: found.readInt32LE(24) }
}

/** Reaps orphans that were given to us. The command itself is libuv's to reap: while it is a zombie, nothing is done. */
export function reapOrphans(command: number): void {
  for (let round = 0; round < roundLimit; round++) {
    const { pid } = wait(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT)
    if (pid === 0 || pid === command) return
    wait(P_PID, pid, WEXITED | WNOHANG)
  }
}

/** The signal that stopped the command since the last question; undefined when none did. */
export function newStop(command: number): number | undefined {
  const { pid, code, status } = wait(P_PID, command, WSTOPPED | WCONTINUED | WNOHANG)
  return pid === command && code === CLD_STOPPED ? status : undefined
}

// Copies descriptors out of trapped processes: pidfd_open(2), pidfd_getfd(2), with a bounded memory of pidfds.
import { readFileSync } from 'node:fs'
import { close, declare } from './libc.ts'

const PIDFD_OPEN = 434
const PIDFD_GETFD = 438
/** pidfd_open takes any thread with this flag since Linux 6.9, and only a thread group's leader before. */
const PIDFD_THREAD = 0x80
const EINVAL = 22
const ESRCH = 3
/** Sends no signal with number 0, and only says whether the thread is one of that process (tgkill(2)). */
const tgkill = declare<[number, number, number]>('int tgkill(int, int, int)')
const syscall = declare<[number, number, number, number]>('long syscall(long, long, long, long)')

export type Descriptors = {
  /** Our copy of descriptor `theirs` of a thread, to be closed by the caller; or a negative errno. */
  copy(thread: number, theirs: number): number
  /** A descriptor that polls readable when the thread (before Linux 6.9: its process) ends; owned here. Negative errno when it is gone. */
  watch(thread: number): number
}

/** `threads: false` does as on Linux before 6.9. */
export function makeDescriptors({ limit = 256, threads = true } = {}): Descriptors {
  const pidfds = new Map<number, number>()
  /** Before Linux 6.9: the process whose thread it was, because its pidfd outlives the thread, whose number another process may get. */
  const leaders = new Map<number, number>()

  function open(thread: number): number {
    if (threads) {
      const pidfd = syscall(PIDFD_OPEN, thread, PIDFD_THREAD, 0)
      if (pidfd !== -EINVAL) return pidfd
      threads = false
    }
    const leader = leaderOf(thread)
    leaders.set(thread, leader)
    return syscall(PIDFD_OPEN, leader, 0, 0)
  }

  function pidfdOf(thread: number): number {
    const leader = leaders.get(thread)
    if (leader !== undefined && tgkill(leader, thread, 0) === -ESRCH) forget(thread)
    const known = pidfds.get(thread)
    if (known !== undefined) return known
    const pidfd = open(thread)
    if (pidfd < 0) return pidfd
    for (const [oldest] of pidfds) {
      if (pidfds.size < limit) break
      forget(oldest)
    }
    pidfds.set(thread, pidfd)
    return pidfd
  }

  function forget(thread: number): void {
    const pidfd = pidfds.get(thread)
    if (pidfd !== undefined) close(pidfd)
    pidfds.delete(thread)
    leaders.delete(thread)
  }

  return {
    copy(thread, theirs) {
      const pidfd = pidfdOf(thread)
      if (pidfd < 0) return pidfd
      const copy = syscall(PIDFD_GETFD, pidfd, theirs, 0)
      if (copy !== -ESRCH) return copy
      // The thread of that number ended and another one has it: its pidfd is the dead one's.
      forget(thread)
      const again = pidfdOf(thread)
      return again < 0 ? again : syscall(PIDFD_GETFD, again, theirs, 0)
    },
    watch(thread) {
      forget(thread)
      const pidfd = open(thread)
      leaders.delete(thread)
      return pidfd
    },
  }
}

function leaderOf(thread: number): number {
  try {
    return Number(/^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${thread}/status`, 'utf8'))?.[1] ?? thread)
  } catch {
    return thread
  }
}

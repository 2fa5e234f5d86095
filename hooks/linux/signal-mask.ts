// Keeps signals away from one thread, so that none interrupts it between two system calls that belong together (pthread_sigmask(3)).
import { constants } from 'node:os'
import { libc } from './libc.ts'

const SIG_BLOCK = 0
/** sigset_t of the C library: bit N - 1 for signal N. */
const setBytes = 128
const lastSignal = 31
const { SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGPROF } = constants.signals
/** What a thread does to itself, and what a profiler sends to each. */
const ownSignals = new Set([SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGPROF])
const pthreadSigmask = libc.func('int pthread_sigmask(int, void*, void*)')

/** For the calling thread alone; the others take what is for the process. */
export function blockSignals(): void {
  const set = Buffer.alloc(setBytes)
  for (let signal = 1; signal <= lastSignal; signal++)
    if (!ownSignals.has(signal)) set[(signal - 1) >> 3]! |= 1 << ((signal - 1) & 7)
  pthreadSigmask(SIG_BLOCK, set, null)
}

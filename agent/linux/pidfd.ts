// Holds on to one process, whatever happens to its pid, and tells when it ends (pidfd_open(2)).
//
//   struct pollfd   0 fd i32 | 4 events u16 | 6 revents u16        8 bytes
import { closeSync } from 'node:fs'
import { Failure } from '../../protocol/errors.ts'
import { callFailure, lastError, pidfdOpen, poll } from './libc.ts'

const POLLIN = 1

export type HeldProcess = { ended(): boolean; close(): void }

/** Throws `target-ended` when there is no such process. */
export function holdProcess(pid: number): HeldProcess {
  const fd = pidfdOpen(pid)
  if (fd < 0) throw openFailure(pid, lastError())
  return {
    ended: () => isReadable(fd),
    close: () => closeSync(fd),
  }
}

/** A pidfd becomes readable when its process has ended, reaped or not. Costs one system call and never waits. */
function isReadable(fd: number): boolean {
  const entry = Buffer.alloc(8)
  entry.writeInt32LE(fd, 0)
  entry.writeUInt16LE(POLLIN, 4)
  return poll(entry, 1, 0) > 0 && entry.readUInt16LE(6) !== 0
}

function openFailure(pid: number, errno: string): Failure {
  if (errno === 'ESRCH') return new Failure('target-ended', { target: `process/${pid}` })
  return callFailure(errno, {
    verb: `hold on to pid ${pid}`,
    right: 'to see it (hidepid)',
    feature: 'pidfd_open',
    since: 'Linux 5.3',
  })
}

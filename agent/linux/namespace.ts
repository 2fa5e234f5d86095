// Moves this thread into a target's namespaces (setns(2)) and tells who owns its user namespace (ioctl_ns(2)).
import { closeSync, openSync } from 'node:fs'
import { Failure } from '../../protocol/errors.ts'
import { callFailure, ioctl, lastError, setns } from './libc.ts'
import { namespaceOf } from './proc.ts'

const cloneFlags = { net: 0x40000000, uts: 0x04000000 } as const
const names = { net: 'network namespace', uts: 'UTS namespace' } as const
/** Answers with the user id that made a user namespace. */
const NS_GET_OWNER_UID = 0xb704

/**
 * The calling thread, and every thread that it makes later, is then in that namespace of the process. Does nothing if it is already.
 * Threads that exist stay where they are, so it is called on the main thread before any worker is made.
 */
export function enterNamespace(pid: number, kind: 'net' | 'uts'): void {
  if (namespaceOf(pid, kind) === namespaceOf('self', kind)) return
  const fd = openNamespace(pid, kind)
  try {
    if (setns(fd, cloneFlags[kind]) < 0)
      throw callFailure(lastError(), {
        verb: `enter the ${names[kind]} of pid ${pid}`,
        right: 'CAP_SYS_ADMIN',
        feature: 'setns',
        since: 'Linux 3.0',
      })
  } finally {
    closeSync(fd)
  }
}

/** The user id that owns the process's user namespace, as seen from ours; undefined when it can't be asked. */
export function userNamespaceOwner(pid: number): number | undefined {
  let fd: number
  try {
    fd = openSync(`/proc/${pid}/ns/user`, 'r')
  } catch {
    return undefined
  }
  try {
    const owner = Buffer.alloc(4)
    return ioctl(fd, NS_GET_OWNER_UID, owner) < 0 ? undefined : owner.readUInt32LE(0)
  } finally {
    closeSync(fd)
  }
}

function openNamespace(pid: number, kind: 'net' | 'uts'): number {
  try {
    return openSync(`/proc/${pid}/ns/${kind}`, 'r')
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'EIO'
    if (errno === 'ENOENT' || errno === 'ESRCH')
      throw new Failure('target-ended', { target: `process/${pid}` })
    throw callFailure(errno, {
      verb: `open the ${names[kind]} of pid ${pid}`,
      right: 'CAP_SYS_PTRACE',
      feature: names[kind],
      since: 'Linux 3.0',
    })
  }
}

// Puts a filter with a notification descriptor on the calling thread (seccomp(2), prctl(2)).
import { readFileSync } from 'node:fs'
import { machine, release } from 'node:os'
import { Failure } from '../../protocol/errors.ts'
import { missingFeature } from '../kernel-feature.ts'
import { addressOf, declare, errnoName } from './libc.ts'

const SECCOMP_SET_MODE_FILTER = 1
const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
const PR_SET_NO_NEW_PRIVS = 38
const CAP_SYS_ADMIN = 21n
const EINVAL = 22
const EBUSY = 16
const ENOSYS = 38
const seccompNumber = machine() === 'aarch64' ? 277 : 317

const prctl = declare<[number, number, number, number, number]>('int prctl(int, ulong, ulong, ulong, ulong)')
const seccomp = declare<[number, number, number, Buffer]>('long syscall(long, long, long, void*)')

/** Whether the calling thread may install a filter without giving up privileges for good. */
function mayKeepPrivileges(): boolean {
  const status = readFileSync('/proc/thread-self/status', 'utf8')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return ((effective >> CAP_SYS_ADMIN) & 1n) === 1n
}

/** Installs the program on the calling thread alone; children inherit it, other threads do not. Throws a Failure. */
export function installFilter(program: Buffer): { listener: number; noNewPrivileges: boolean } {
  const noNewPrivileges = !mayKeepPrivileges()
  if (noNewPrivileges) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
  // struct sock_fprog: u16 number of instructions, 6 bytes of padding, pointer to them
  const header = Buffer.alloc(16)
  header.writeUInt16LE(program.length / 8)
  header.writeBigUInt64LE(addressOf(program), 8)
  const listener = seccomp(seccompNumber, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, header)
  if (listener >= 0) return { listener, noNewPrivileges }
  throw seccompFailure(-listener)
}

/** What an errno of seccomp(2) means to the user. */
export function seccompFailure(errno: number): Failure {
  if (errno === EBUSY) return new Failure('hooks-nested')
  if (errno === ENOSYS || errno === EINVAL) {
    return missingFeature('the system call seccomp', errnoName(errno), release())
  }
  return new Failure('hooks-unavailable', {
    reason: `the system call seccomp gives ${errnoName(errno)}`,
    fix: 'Allow seccomp in the profile of this container, as in "docker run --security-opt seccomp=unconfined"',
  })
}

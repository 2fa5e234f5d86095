// The calls into the C library that the agent makes, and how their errors become names; see each function's man page, section 2.
import { release } from 'node:os'
import { getSystemErrorName } from 'node:util'
import koffi from 'koffi'
import { Failure } from '../../protocol/errors.ts'

/** `null` is the program itself, which has its C library loaded already, be it glibc or musl. */
const libc = koffi.load(null)

export const setns = libc.func('int setns(int fd, int nstype)') as (fd: number, type: number) => number
export const socket = libc.func('int socket(int domain, int type, int protocol)') as (
  domain: number,
  type: number,
  protocol: number,
) => number
export const connect = libc.func('int connect(int fd, void *address, uint bytes)') as (
  fd: number,
  address: Buffer,
  bytes: number,
) => number
export const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)') as (
  fd: number,
  request: number,
  argument: Buffer | null,
) => number
export const poll = libc.func('int poll(void *fds, unsigned long count, int timeoutMs)') as (
  fds: Buffer,
  count: number,
  timeoutMs: number,
) => number
export const processVmReadv = libc.func(
  'long process_vm_readv(int pid, void *local, ulong locals, void *remote, ulong remotes, ulong flags)',
) as (pid: number, local: Buffer, locals: number, remote: Buffer, remotes: number, flags: number) => number
export const pidfdOpen = (pid: number): number => Number(syscall(pidfdOpenNumber, pid, 0, 0))
export const pidfdGetfd = (pidfd: number, fd: number, flags: number): number =>
  Number(syscall(pidfdGetfdNumber, pidfd, fd, flags))
export const exitNow = libc.func('void _exit(int status)') as unknown as (status: number) => never

/** The same on every architecture: system calls since 2019 share their numbers. */
const pidfdOpenNumber = 434
const pidfdGetfdNumber = 438
const syscall = libc.func('long syscall(long number, long first, long second, long third)') as (
  number: number,
  first: number,
  second: number,
  third: number,
) => number

/** Name of the error of the last call, to be asked right after it. */
export function lastError(): string {
  return getSystemErrorName(-koffi.errno())
}

/** The failure of a call that needs a right or a kernel feature; any other error is one of ours. */
export function callFailure(
  errno: string,
  { verb, right, feature, since }: { verb: string; right: string; feature: string; since: string },
): Failure {
  if (errno === 'EPERM' || errno === 'EACCES') return new Failure('right-missing', { verb, errno, right })
  if (['ENOSYS', 'EINVAL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT'].includes(errno))
    return new Failure('kernel-feature-missing', { feature, kernel: release(), since }, { detail: errno })
  return new Failure('agent-failed', { reason: `cannot ${verb}: ${errno}` })
}

// Looks into a process by the right to trace it (CAP_SYS_PTRACE), where its files under /proc belong to another user and the right to read
// those is missing: process_vm_readv(2) for its environment, pidfd_getfd(2) for its descriptors.
//
//   struct iovec   0 address u64 | 8 length u64        16 bytes
import { closeSync, readFileSync, readlinkSync } from 'node:fs'
import koffi from 'koffi'
import { lastError, pidfdGetfd, pidfdOpen, processVmReadv } from './libc.ts'

/** The kernel itself allows 6 MiB of arguments and environment. */
const maxEnvironmentBytes = 8 << 20

/** What /proc/PID/environ holds; its place is told by fields 50 and 51 of /proc/PID/stat (proc(5)), 0 without the right. */
export function readEnvironmentOf(pid: number): Buffer {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [start = 0n, end = 0n] = fields.slice(47, 49).map(BigInt)
  if (start === 0n) throw refusal('EACCES', `/proc/${pid}/environ`)
  const bytes = Buffer.alloc(Number(end - start))
  if (bytes.length === 0 || bytes.length > maxEnvironmentBytes) return Buffer.alloc(0)
  const got = processVmReadv(pid, vector(BigInt(koffi.address(bytes)), bytes), 1, vector(start, bytes), 1, 0)
  if (got < 0) throw refusal(lastError(), `/proc/${pid}/environ`)
  return bytes.subarray(0, got)
}

/** Inodes of the sockets that a process has open. Each descriptor is ours for a moment, which neither the process nor its callers notice. */
export function readSocketInodesOf(pid: number): Set<string> {
  const size = Number(/^FDSize:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  const inodes = new Set<string>()
  const pidfd = pidfdOpen(pid)
  if (pidfd < 0) throw refusal(lastError(), `/proc/${pid}/fd`)
  try {
    for (let fd = 0; fd < size; fd++) {
      const inode = socketInode(pid, pidfd, fd)
      if (inode !== undefined) inodes.add(inode)
    }
  } finally {
    closeSync(pidfd)
  }
  return inodes
}

function socketInode(pid: number, pidfd: number, fd: number): string | undefined {
  const own = pidfdGetfd(pidfd, fd, 0)
  if (own < 0) {
    const errno = lastError()
    if (errno === 'EBADF') return undefined
    throw refusal(errno, `/proc/${pid}/fd/${fd}`)
  }
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${own}`))?.[1]
  } finally {
    closeSync(own)
  }
}

function vector(address: bigint, { length }: Buffer): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64LE(address, 0)
  bytes.writeBigUInt64LE(BigInt(length), 8)
  return bytes
}

/** As reading the file would have failed. */
function refusal(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}

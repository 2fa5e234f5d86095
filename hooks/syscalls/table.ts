// Which system calls are trapped, for each architecture: the one list that the filter and the answerer are made from.

/**
 * What is done with a call; `notifyWithAddress` traps it only when its second argument, the address buffer, is not null, and
 * `notifySocketError` only when it asks for SO_ERROR of SOL_SOCKET. `refuseFastOpen` refuses a send that would connect (MSG_FASTOPEN), its flags being
 * the third or the fourth argument, with EOPNOTSUPP, as a kernel does whose net.ipv4.tcp_fastopen is 0: its program connects then. Calls on datagrams are trapped when they name an
 * address as their fifth argument, and those that name it in memory, or copy a descriptor, when their descriptor is in the window of shared/window.ts.
 * A socket of Multipath TCP is refused with EPROTONOSUPPORT, as by a kernel without it: a connection in progress cannot be completed by simultaneous
 * open there, and every program of it falls back to TCP.
 */
export type Treatment =
  | 'notify'
  | 'notifyWithAddress'
  | 'notifySocketError'
  | 'notifyDatagramsRefuseMultipath'
  | 'notifyWithFifth'
  | 'notifyInWindow'
  | 'notifyCopyInWindow'
  | 'refuseFastOpenElseWithFifth'
  | 'refuseFastOpenThirdElseInWindow'
  | 'refuseFastOpenFourthElseInWindow'
  | 'refuseENOSYS'

export type CallName =
  | 'connect'
  | 'getsockopt'
  | 'bind'
  | 'listen'
  | 'accept'
  | 'accept4'
  | 'getsockname'
  | 'getpeername'
  | 'socket'
  | 'sendto'
  | 'sendmsg'
  | 'sendmmsg'
  | 'recvfrom'
  | 'recvmsg'
  | 'recvmmsg'
  | 'dup'
  | 'fcntl'
  | 'io_uring_setup'
  | 'open'
  | 'creat'
  | 'openat'
  | 'openat2'
  | 'rename'
  | 'renameat'
  | 'renameat2'
  | 'uname'

/** Newer architectures have only the calls that replaced them. */
type OldCall = 'open' | 'creat' | 'rename'

export const treatments: Readonly<Record<CallName, Treatment>> = {
  connect: 'notify',
  getsockopt: 'notifySocketError',
  bind: 'notify',
  listen: 'notify',
  accept: 'notifyWithAddress',
  accept4: 'notifyWithAddress',
  getsockname: 'notify',
  getpeername: 'notify',
  socket: 'notifyDatagramsRefuseMultipath',
  sendto: 'refuseFastOpenElseWithFifth',
  sendmsg: 'refuseFastOpenThirdElseInWindow',
  sendmmsg: 'refuseFastOpenFourthElseInWindow',
  recvfrom: 'notifyWithFifth',
  recvmsg: 'notifyInWindow',
  recvmmsg: 'notifyInWindow',
  dup: 'notifyInWindow',
  fcntl: 'notifyCopyInWindow',
  open: 'notify',
  creat: 'notify',
  openat: 'notify',
  openat2: 'notify',
  rename: 'notify',
  renameat: 'notify',
  renameat2: 'notify',
  uname: 'notify',
  // Runtimes that find no io_uring fall back to calls that are seen here.
  io_uring_setup: 'refuseENOSYS',
}

/** A call of foreign (32-bit) programs that is trapped for a warning only: the one that sets the thread pointer, once or twice at each start.
 * Only programs without a C library never do; `brk`, which they might call, is called too often by the others. */
type Foreign = { readonly audit: number; readonly number: number }

export type Architecture = {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly audit: number
  readonly numbers: Readonly<Record<Exclude<CallName, OldCall>, number> & Partial<Record<OldCall, number>>>
  readonly foreign: readonly Foreign[]
  /** x86-64 only: x32 programs show the native architecture and set this bit in the number. */
  readonly foreignBit?: { readonly bit: number; readonly number: number }
}

export const AUDIT_ARCH_X86_64 = 0xc000003e
export const AUDIT_ARCH_AARCH64 = 0xc00000b7
export const AUDIT_ARCH_I386 = 0x40000003
export const AUDIT_ARCH_ARM = 0x40000028
const X32_SYSCALL_BIT = 0x40000000

export const architectures = {
  x64: {
    audit: AUDIT_ARCH_X86_64,
    numbers: {
      open: 2,
      dup: 32,
      socket: 41,
      connect: 42,
      accept: 43,
      sendto: 44,
      recvfrom: 45,
      sendmsg: 46,
      recvmsg: 47,
      bind: 49,
      listen: 50,
      getsockname: 51,
      getpeername: 52,
      getsockopt: 55,
      uname: 63,
      fcntl: 72,
      rename: 82,
      creat: 85,
      openat: 257,
      renameat: 264,
      accept4: 288,
      recvmmsg: 299,
      sendmmsg: 307,
      renameat2: 316,
      io_uring_setup: 425,
      openat2: 437,
    },
    // set_thread_area of i386
    foreign: [{ audit: AUDIT_ARCH_I386, number: 243 }],
    // arch_prctl of x32
    foreignBit: { bit: X32_SYSCALL_BIT, number: X32_SYSCALL_BIT + 158 },
  },
  arm64: {
    audit: AUDIT_ARCH_AARCH64,
    numbers: {
      dup: 23,
      fcntl: 25,
      renameat: 38,
      openat: 56,
      uname: 160,
      socket: 198,
      bind: 200,
      listen: 201,
      accept: 202,
      connect: 203,
      getsockname: 204,
      getpeername: 205,
      sendto: 206,
      recvfrom: 207,
      getsockopt: 209,
      sendmsg: 211,
      recvmsg: 212,
      accept4: 242,
      recvmmsg: 243,
      sendmmsg: 269,
      renameat2: 276,
      io_uring_setup: 425,
      openat2: 437,
    },
    // ARM_set_tls, a private call of 32-bit arm
    foreign: [{ audit: AUDIT_ARCH_ARM, number: 0xf0005 }],
  },
} as const satisfies Record<string, Architecture>

/** The table of the machine that this runs on; undefined where there is none. */
export function ownArchitecture(arch: string = process.arch): Architecture | undefined {
  return arch === 'x64' || arch === 'arm64' ? architectures[arch] : undefined
}

/** Looked up at each trapped call. */
const names = new Map<number, ReadonlyMap<number, CallName>>(
  Object.values(architectures).map(({ audit, numbers }) => [
    audit,
    new Map((Object.entries(numbers) as [CallName, number][]).map(([name, number]) => [number, name])),
  ]),
)

/** The name of a trapped call, or `foreign` for one that only warns. */
export function nameCall(architecture: Architecture, audit: number, number: number): CallName | 'foreign' {
  if (audit !== architecture.audit) return 'foreign'
  return names.get(audit)?.get(number) ?? 'foreign'
}

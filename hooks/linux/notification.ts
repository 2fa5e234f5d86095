// Seccomp user notifications as bytes and ioctls: receive one, ask whether it is alive, answer it, answer it with a descriptor (seccomp_unotify(2)).
import { declare, errnoName } from './libc.ts'

// struct seccomp_notif, 80 bytes          struct seccomp_notif_resp, 24 bytes   struct seccomp_notif_addfd, 24 bytes
//  0  u64 id                               0  u64 id                             0  u64 id
//  8  u32 pid (of the thread)              8  s64 val                            8  u32 flags
// 12  u32 flags                           16  s32 error (negative errno)        12  u32 srcfd (ours)
// 16  s32 nr                              20  u32 flags                         16  u32 newfd (0 without SETFD)
// 20  u32 arch (AUDIT_ARCH_*)                                                   20  u32 newfd_flags (O_CLOEXEC)
// 24  u64 instruction pointer
// 32  u64 args[6]
export const notificationBytes = 80
const SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100
const SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101
const SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102
const SECCOMP_IOCTL_NOTIF_ADDFD = 0x40182103
const SECCOMP_IOCTL_NOTIF_SET_FLAGS = 0x40082104
const SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
const SECCOMP_ADDFD_FLAG_SETFD = 1
const SECCOMP_ADDFD_FLAG_SEND = 2
const SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1

const ENOENT = 2
const EINPROGRESS = 115

const ioctl = declare<[number, number, Buffer]>('int ioctl(int, ulong, void*)')
const ioctlNumber = declare<[number, number, number]>('int ioctl(int, ulong, ulong)')

/** One trapped call: the bytes of struct seccomp_notif. */
export type Call = Buffer
export const threadOf = (call: Call): number => call.readUInt32LE(8)
export const numberOf = (call: Call): number => call.readInt32LE(16)
export const architectureOf = (call: Call): number => call.readUInt32LE(20)
export const idOf = (call: Call): bigint => call.readBigUInt64LE(0)
/** An argument as the C `int` that the kernel makes of it. */
export const intArgument = (call: Call, index: number): number => call.readInt32LE(32 + 8 * index)

/** Blocks until a call is trapped and fills `call`; 0, or a negative errno (ENOENT: the call died first, or no hooked process is left). */
export function receive(listener: number, call: Call): number {
  call.fill(0, 0, notificationBytes)
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, call)
}

/** The descriptor does not do its work any more: nothing can be answered here, and no call may be forgotten as if it were over. */
export class CannotAnswer extends Error {}

/** ENOENT says that the call is gone, and EINPROGRESS that it has its answer; what else may go wrong is thrown as CannotAnswer. */
export function mustAnswer(result: number): number {
  if (result >= 0 || result === -ENOENT || result === -EINPROGRESS) return result
  throw new CannotAnswer(`Cannot answer trapped call: ${errnoName(result)}`)
}

/** Whether the thread still waits in the call; asked after reading its memory and before acting for it. */
export const isAlive = (listener: number, call: Call): boolean =>
  mustAnswer(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, call)) === 0

const answer = Buffer.alloc(24)
/** Of its own, because it is the answer to most calls and differs in the id alone. */
const goOn = Buffer.alloc(24)
goOn.writeUInt32LE(SECCOMP_USER_NOTIF_FLAG_CONTINUE, 20)

/** Lets the kernel run the call as if it had not been trapped; the id is the first eight bytes. */
export function sendContinue(listener: number, call: Buffer): number {
  goOn.writeUInt32LE(call.readUInt32LE(0), 0)
  goOn.writeUInt32LE(call.readUInt32LE(4), 4)
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, goOn)
}

/** Ends the call with a result, or with a negative errno; ENOENT when the call is gone. */
export function sendResult(listener: number, call: Call, result: number): number {
  answer.fill(0)
  answer.set(call.subarray(0, 8), 0)
  if (result < 0) answer.writeInt32LE(result, 16)
  else answer.writeBigInt64LE(BigInt(result), 8)
  return mustAnswer(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer))
}

const injection = Buffer.alloc(24)

/**
 * Puts a copy of our descriptor into the process and ends the call with its number there, in one step (Linux 5.14); `number` names one, and takes the
 * place of what has it.
 */
export function sendDescriptor(
  listener: number,
  call: Call,
  descriptor: number,
  descriptorFlags: number,
  number?: number,
): number {
  injection.fill(0)
  injection.set(call.subarray(0, 8), 0)
  const named = number === undefined ? 0 : SECCOMP_ADDFD_FLAG_SETFD
  injection.writeUInt32LE(SECCOMP_ADDFD_FLAG_SEND | named, 8)
  injection.writeUInt32LE(descriptor, 12)
  injection.writeUInt32LE(number ?? 0, 16)
  injection.writeUInt32LE(descriptorFlags, 20)
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, injection)
}

/** Whether the kernel can answer with a descriptor in one step: an unknown flag is EINVAL, an unknown id ENOENT. */
export function canSendDescriptor(listener: number): boolean {
  return sendDescriptor(listener, Buffer.alloc(notificationBytes), listener, 0) !== -22
}

/** Wakes the answering thread on the same CPU (Linux 6.6); older kernels say EINVAL, which only costs time. */
export const wakeOnSameCpu = (listener: number): number =>
  ioctlNumber(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)

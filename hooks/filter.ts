// Generates the classic BPF program that decides, inside the kernel, which system calls are trapped (seccomp(2), linux/filter.h).
import type { Range } from './shared/window.ts'
import { type Architecture, type CallName, type Treatment, treatments } from './syscalls/table.ts'

// struct sock_filter, 8 bytes: u16 code, u8 jump if true, u8 jump if false (both counted from the next instruction), u32 k
// struct seccomp_data: s32 nr at 0, u32 arch at 4, u64 instruction pointer at 8, u64 args[6] at 16 (low half first on our machines)
const BPF_LD_W_ABS = 0x20
const BPF_JMP_JEQ_K = 0x15
const BPF_JMP_JGE_K = 0x35
const BPF_JMP_JSET_K = 0x45
const BPF_ALU_AND_K = 0x54
const BPF_RET_K = 0x06
const NUMBER = 0
const ARCHITECTURE = 4
const FIRST_ARGUMENT_LOW = 16
const SECOND_ARGUMENT_LOW = 24
const SECOND_ARGUMENT_HIGH = 28
const THIRD_ARGUMENT_LOW = 32
const FOURTH_ARGUMENT_LOW = 40
const FIFTH_ARGUMENT_LOW = 48
const FIFTH_ARGUMENT_HIGH = 52
const AF_INET = 2
const AF_INET6 = 10
const SOCK_DGRAM = 2
const SOCK_TYPE_MASK = 0xf
const F_DUPFD = 0
const F_DUPFD_CLOEXEC = 1030
const MSG_FASTOPEN = 0x20000000
const EOPNOTSUPP = 95
const SOL_SOCKET = 1
const SO_ERROR = 4
const ENOSYS = 38
const IPPROTO_MPTCP = 262
const EPROTONOSUPPORT = 93
export const SECCOMP_RET_ALLOW = 0x7fff0000
export const SECCOMP_RET_USER_NOTIF = 0x7fc00000
export const SECCOMP_RET_ERRNO_ENOSYS = 0x00050000 + ENOSYS
export const SECCOMP_RET_ERRNO_EPROTONOSUPPORT = 0x00050000 + EPROTONOSUPPORT
export const SECCOMP_RET_ERRNO_EOPNOTSUPP = 0x00050000 + EOPNOTSUPP

/** One instruction whose jumps name labels; a missing one goes on with the next instruction. */
type Step = { label?: string; code: number; k: number; yes?: string; no?: string }

const load = (k: number, label?: string): Step => ({
  code: BPF_LD_W_ABS,
  k,
  ...(label === undefined ? {} : { label }),
})
const whenEqual = (k: number, yes: string): Step => ({ code: BPF_JMP_JEQ_K, k, yes })
const unlessEqual = (k: number, no: string): Step => ({ code: BPF_JMP_JEQ_K, k, no })
const give = (label: string, k: number): Step => ({ label, code: BPF_RET_K, k })

const targets: Readonly<Record<Treatment, string>> = {
  notify: 'notify',
  notifyWithAddress: 'address',
  notifySocketError: 'socketError',
  notifyDatagramsRefuseMultipath: 'socketFamily',
  notifyWithFifth: 'fifth',
  notifyInWindow: 'window',
  notifyCopyInWindow: 'copying',
  refuseFastOpenElseWithFifth: 'destinationFlags',
  refuseFastOpenThirdElseInWindow: 'thirdFlags',
  refuseFastOpenFourthElseInWindow: 'fourthFlags',
  refuseENOSYS: 'refuse',
}

/**
 * The filter of an architecture as an array of struct sock_filter; everything that the table does not name is allowed. `window` are the numbers
 * that UDP sockets have, rising.
 */
export function makeFilter(architecture: Architecture, window: readonly Range[]): Buffer {
  return assemble([
    load(ARCHITECTURE),
    whenEqual(architecture.audit, 'native'),
    ...architecture.foreign.flatMap(({ audit, number }, index) => [
      unlessEqual(audit, `foreign${index}`),
      load(NUMBER),
      whenEqual(number, 'notify'),
      { ...give(`allow${index}`, SECCOMP_RET_ALLOW) },
      load(ARCHITECTURE, `foreign${index}`),
    ]),
    give('unknown', SECCOMP_RET_ALLOW),
    load(NUMBER, 'native'),
    ...foreignBit(architecture),
    ...(Object.entries(architecture.numbers) as [CallName, number][]).map(([name, number]) =>
      whenEqual(number, targets[treatments[name]]),
    ),
    give('allow', SECCOMP_RET_ALLOW),
    load(SECOND_ARGUMENT_LOW, 'address'),
    unlessEqual(0, 'notify'),
    load(SECOND_ARGUMENT_HIGH),
    whenEqual(0, 'allowNull'),
    give('notify', SECCOMP_RET_USER_NOTIF),
    give('allowNull', SECCOMP_RET_ALLOW),
    // Level and option are ints, whose upper halves the kernel does not look at.
    load(SECOND_ARGUMENT_LOW, 'socketError'),
    unlessEqual(SOL_SOCKET, 'allowOption'),
    load(THIRD_ARGUMENT_LOW),
    unlessEqual(SO_ERROR, 'allowOption'),
    give('notifyError', SECCOMP_RET_USER_NOTIF),
    give('allowOption', SECCOMP_RET_ALLOW),
    load(FIRST_ARGUMENT_LOW, 'socketFamily'),
    whenEqual(AF_INET, 'socketType'),
    unlessEqual(AF_INET6, 'allowSocket'),
    load(SECOND_ARGUMENT_LOW, 'socketType'),
    { code: BPF_ALU_AND_K, k: SOCK_TYPE_MASK },
    whenEqual(SOCK_DGRAM, 'notifySocket'),
    load(THIRD_ARGUMENT_LOW),
    whenEqual(IPPROTO_MPTCP, 'noMultipath'),
    give('allowSocket', SECCOMP_RET_ALLOW),
    give('notifySocket', SECCOMP_RET_USER_NOTIF),
    give('noMultipath', SECCOMP_RET_ERRNO_EPROTONOSUPPORT),
    load(FOURTH_ARGUMENT_LOW, 'destinationFlags'),
    { code: BPF_JMP_JSET_K, k: MSG_FASTOPEN, yes: 'fastOpen', no: 'fifth' },
    load(FIFTH_ARGUMENT_LOW, 'fifth'),
    unlessEqual(0, 'notifyFifth'),
    load(FIFTH_ARGUMENT_HIGH),
    whenEqual(0, 'allowFifth'),
    give('notifyFifth', SECCOMP_RET_USER_NOTIF),
    give('allowFifth', SECCOMP_RET_ALLOW),
    load(SECOND_ARGUMENT_LOW, 'copying'),
    whenEqual(F_DUPFD, 'window'),
    whenEqual(F_DUPFD_CLOEXEC, 'window'),
    give('allowControl', SECCOMP_RET_ALLOW),
    load(THIRD_ARGUMENT_LOW, 'thirdFlags'),
    { code: BPF_JMP_JSET_K, k: MSG_FASTOPEN, yes: 'fastOpen', no: 'window' },
    load(FOURTH_ARGUMENT_LOW, 'fourthFlags'),
    { code: BPF_JMP_JSET_K, k: MSG_FASTOPEN, yes: 'fastOpen', no: 'window' },
    load(FIRST_ARGUMENT_LOW, 'window'),
    ...window.flatMap(({ from, to }): Step[] => [
      { code: BPF_JMP_JGE_K, k: from, no: 'allowOutside' },
      { code: BPF_JMP_JGE_K, k: to, no: 'notifyInside' },
    ]),
    give('allowOutside', SECCOMP_RET_ALLOW),
    give('notifyInside', SECCOMP_RET_USER_NOTIF),
    give('fastOpen', SECCOMP_RET_ERRNO_EOPNOTSUPP),
    give('refuse', SECCOMP_RET_ERRNO_ENOSYS),
  ])
}

function foreignBit({ foreignBit: foreign }: Architecture): Step[] {
  if (foreign === undefined) return []
  return [
    { code: BPF_JMP_JGE_K, k: foreign.bit, no: 'ownNumbers' },
    whenEqual(foreign.number, 'notify'),
    give('allowForeign', SECCOMP_RET_ALLOW),
    load(NUMBER, 'ownNumbers'),
  ]
}

function assemble(steps: readonly Step[]): Buffer {
  const places = new Map(steps.flatMap(({ label }, index) => (label === undefined ? [] : [[label, index]])))
  const program = Buffer.alloc(8 * steps.length)
  for (const [index, { code, k, yes, no }] of steps.entries()) {
    const jump = (label: string | undefined) => {
      const place = label === undefined ? index + 1 : places.get(label)
      if (place === undefined || place <= index || place - index - 1 > 255)
        throw new Error(`Cannot assemble filter: no way from ${index} to "${label}"`)
      return place - index - 1
    }
    const isJump = [BPF_JMP_JEQ_K, BPF_JMP_JGE_K, BPF_JMP_JSET_K].includes(code)
    program.writeUInt16LE(code, 8 * index)
    program.writeUInt8(isJump ? jump(yes) : 0, 8 * index + 2)
    program.writeUInt8(isJump ? jump(no) : 0, 8 * index + 3)
    program.writeUInt32LE(k >>> 0, 8 * index + 4)
  }
  return program
}

// The generated filters trap exactly the calls of the table, for both architectures.
import assert from 'node:assert/strict'
import {
  makeFilter,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO_ENOSYS,
  SECCOMP_RET_ERRNO_EOPNOTSUPP,
  SECCOMP_RET_ERRNO_EPROTONOSUPPORT,
  SECCOMP_RET_USER_NOTIF,
} from '../../hooks/filter.ts'
import {
  type Architecture,
  AUDIT_ARCH_ARM,
  AUDIT_ARCH_I386,
  architectures,
} from '../../hooks/syscalls/table.ts'
import { runFilter, type TrappedCall } from './bpf.ts'

const window = [
  { from: 768, to: 1024 },
  { from: 64_512, to: 65_536 },
]
const verdict = (architecture: Architecture, call: TrappedCall) =>
  runFilter(makeFilter(architecture, window), call)
const withAddress = (address: bigint): readonly bigint[] => [3n, address, 0n]

for (const [name, architecture] of Object.entries(architectures) as [string, Architecture][]) {
  const { audit, numbers } = architecture
  describe(`makeFilter() for ${name}`, () => {
    for (const call of ['connect', 'bind', 'listen', 'getsockname', 'getpeername'] as const)
      it(`traps ${call} whatever its arguments`, () => {
        assert.equal(verdict(architecture, { arch: audit, nr: numbers[call] }), SECCOMP_RET_USER_NOTIF)
      })
    const others = [
      ...(['open', 'creat', 'openat', 'openat2', 'uname'] as const),
      ...(['rename', 'renameat', 'renameat2'] as const),
    ]
    for (const call of others.filter(one => one in numbers))
      it(`traps ${call} whatever its arguments`, () =>
        assert.equal(verdict(architecture, { arch: audit, nr: numbers[call]! }), SECCOMP_RET_USER_NOTIF))
    for (const call of ['accept', 'accept4'] as const) {
      it(`leaves ${call} alone when it wants no address`, () => {
        const nr = numbers[call]
        assert.equal(verdict(architecture, { arch: audit, nr, args: withAddress(0n) }), SECCOMP_RET_ALLOW)
      })
      for (const address of [0x1000n, 0x7f0000000000n, 0x7fffffff1000n, 0x100000000n])
        it(`traps ${call} with an address buffer at 0x${address.toString(16)}`, () => {
          const args = withAddress(address)
          assert.equal(
            verdict(architecture, { arch: audit, nr: numbers[call], args }),
            SECCOMP_RET_USER_NOTIF,
          )
        })
    }
    it('traps getsockopt only when it asks for SO_ERROR of SOL_SOCKET', () => {
      const asked = (level: bigint, option: bigint) =>
        verdict(architecture, { arch: audit, nr: numbers.getsockopt, args: [3n, level, option, 0x1000n] })
      assert.equal(asked(1n, 4n), SECCOMP_RET_USER_NOTIF)
      assert.equal(asked(0x100000001n, 0x700000004n), SECCOMP_RET_USER_NOTIF)
      for (const [level, option] of [
        [1n, 3n],
        [6n, 4n],
        [4n, 1n],
        [0n, 4n],
      ] as const)
        assert.equal(asked(level, option), SECCOMP_RET_ALLOW, `${level} ${option}`)
    })
    it('refuses sends that would connect with EOPNOTSUPP, and no other', () => {
      const sent = (call: 'sendto' | 'sendmsg' | 'sendmmsg', flags: bigint) => {
        const args = call === 'sendmsg' ? [3n, 0x1000n, flags] : [3n, 0x1000n, 5n, flags]
        return verdict(architecture, { arch: audit, nr: numbers[call], args })
      }
      for (const call of ['sendto', 'sendmsg', 'sendmmsg'] as const) {
        for (const flags of [0x20000000n, 0x20004040n, 0x120000000n])
          assert.equal(sent(call, flags), SECCOMP_RET_ERRNO_EOPNOTSUPP, `${call} ${flags}`)
        for (const flags of [0n, 0x4000n, 0x1fffffffn, 0x40000000n])
          assert.equal(sent(call, flags), SECCOMP_RET_ALLOW, `${call} ${flags}`)
      }
    })
    it('refuses sockets of Multipath TCP, so that programs take TCP', () => {
      const made = (family: bigint, protocol: bigint) =>
        verdict(architecture, { arch: audit, nr: numbers.socket, args: [family, 0x80801n, protocol] })
      for (const family of [2n, 10n]) {
        assert.equal(made(family, 262n), SECCOMP_RET_ERRNO_EPROTONOSUPPORT)
        for (const protocol of [0n, 6n, 132n]) assert.equal(made(family, protocol), SECCOMP_RET_ALLOW)
      }
      assert.equal(made(16n, 262n), SECCOMP_RET_ALLOW)
    })
    it('traps socket only for UDP over IPv4 and IPv6, whatever its flags', () => {
      const made = (family: bigint, type: bigint) =>
        verdict(architecture, { arch: audit, nr: numbers.socket, args: [family, type, 0n] })
      for (const family of [2n, 10n, 0x10000000an])
        for (const type of [2n, 0x80802n, 0x100000002n])
          assert.equal(made(family, type), SECCOMP_RET_USER_NOTIF, `${family} ${type}`)
      for (const [family, type] of [
        [1n, 2n],
        [2n, 1n],
        [10n, 0x80801n],
        [16n, 3n],
        [2n, 3n],
        [17n, 2n],
      ] as const)
        assert.equal(made(family, type), SECCOMP_RET_ALLOW, `${family} ${type}`)
    })
    it('traps sendto and recvfrom only with an address', () => {
      for (const call of ['sendto', 'recvfrom'] as const)
        for (const [address, expected] of [
          [0n, SECCOMP_RET_ALLOW],
          [0x1000n, SECCOMP_RET_USER_NOTIF],
          [0x7f0000000000n, SECCOMP_RET_USER_NOTIF],
          [0x100000000n, SECCOMP_RET_USER_NOTIF],
        ] as const) {
          const args = [3n, 0x1000n, 5n, 0x4000n, address, 16n]
          assert.equal(verdict(architecture, { arch: audit, nr: numbers[call], args }), expected, call)
        }
    })
    for (const call of ['sendmsg', 'sendmmsg', 'recvmsg', 'recvmmsg', 'dup'] as const)
      it(`traps ${call} only of descriptors in the window`, () => {
        for (const [descriptor, expected] of [
          [3n, SECCOMP_RET_ALLOW],
          [767n, SECCOMP_RET_ALLOW],
          [768n, SECCOMP_RET_USER_NOTIF],
          [1023n, SECCOMP_RET_USER_NOTIF],
          [1024n, SECCOMP_RET_ALLOW],
          [64_511n, SECCOMP_RET_ALLOW],
          [65_535n, SECCOMP_RET_USER_NOTIF],
          [65_536n, SECCOMP_RET_ALLOW],
          [0xffffffffn, SECCOMP_RET_ALLOW],
        ] as const) {
          const args = [descriptor, 0x1000n, 0n, 0n]
          const result = verdict(architecture, { arch: audit, nr: numbers[call], args })
          assert.equal(result, expected, `${descriptor}`)
        }
      })
    it('traps fcntl only when it copies a descriptor in the window', () => {
      const control = (descriptor: bigint, command: bigint) =>
        verdict(architecture, { arch: audit, nr: numbers.fcntl, args: [descriptor, command, 0n] })
      for (const command of [0n, 1030n]) {
        assert.equal(control(1000n, command), SECCOMP_RET_USER_NOTIF)
        assert.equal(control(5n, command), SECCOMP_RET_ALLOW)
      }
      for (const command of [1n, 2n, 3n, 4n, 1029n, 1031n])
        assert.equal(control(1000n, command), SECCOMP_RET_ALLOW)
    })
    it('refuses io_uring_setup with ENOSYS, so that runtimes fall back to calls that are seen', () => {
      const nr = numbers.io_uring_setup
      assert.equal(verdict(architecture, { arch: audit, nr }), SECCOMP_RET_ERRNO_ENOSYS)
    })
    it('allows every other call of this architecture', () => {
      const trapped = new Set<number>(Object.values(numbers))
      for (let nr = 0; nr < 600; nr++)
        if (!trapped.has(nr))
          assert.equal(verdict(architecture, { arch: audit, nr }), SECCOMP_RET_ALLOW, `${nr}`)
    })
    it('allows calls of an architecture that it has never heard of', () => {
      for (let nr = 0; nr < 600; nr++)
        assert.equal(verdict(architecture, { arch: 0x8000f3, nr }), SECCOMP_RET_ALLOW)
    })
  })
}

describe('makeFilter() for programs of 32 bits', () => {
  const one = (architecture: Architecture, arch: number, trapped: number, numbers: Iterable<number>) => {
    for (const nr of numbers)
      assert.equal(
        verdict(architecture, { arch, nr }),
        nr === trapped ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW,
        `${nr}`,
      )
  }
  const first600 = Array.from({ length: 600 }, (_, nr) => nr)

  it('traps of i386 only set_thread_area, which each program calls at its start', () => {
    one(architectures.x64, AUDIT_ARCH_I386, 243, first600)
  })
  it('traps of x32 only arch_prctl', () => {
    const numbers = first600.map(nr => 0x40000000 + nr)
    one(architectures.x64, architectures.x64.audit, 0x40000000 + 158, numbers)
  })
  it('traps of 32-bit arm only ARM_set_tls', () => {
    one(architectures.arm64, AUDIT_ARCH_ARM, 0xf0005, [...first600, 0xf0005])
  })
})

// A mistake of ours while a call is decided leaves that call to the kernel, and is told.
import assert from 'node:assert/strict'
import { decide } from '../../../hooks/syscalls/answer.ts'
import { architectures, type CallName } from '../../../hooks/syscalls/table.ts'

const { numbers, audit } = architectures.x64
const ownThread = 7

function contextWith(notice: (notice: { code: string }) => void) {
  const broken = new Proxy({}, { get: () => assert.fail('a mistake') })
  const lastBinds = new Map()
  const world = {
    listener: -1,
    notice,
    descriptors: broken,
    bindings: broken,
    podAddresses: broken,
    lastBinds,
  }
  const nothing = { sweep() {} }
  return {
    architecture: architectures.x64,
    receiving: { waiting: nothing },
    accepting: { world, waiting: nothing, kept: nothing, watch: broken, accept4: numbers.accept4 },
    filteredThread: ownThread,
  } as unknown as Parameters<typeof decide>[1]
}

function callOf(number: number, { thread = 99 } = {}): Buffer {
  const call = Buffer.alloc(80)
  call.writeUInt32LE(thread, 8)
  call.writeInt32LE(number, 16)
  call.writeUInt32LE(audit, 20)
  return call
}

describe('decide()', () => {
  for (const name of ['listen', 'accept', 'accept4', 'getsockname', 'getpeername'] as CallName[])
    it(`leaves ${name} alone when it throws, and says so`, () => {
      const said: string[] = []
      const { kind } = decide(
        callOf(numbers[name]),
        contextWith(({ code }) => said.push(code)),
      )
      assert.deepEqual([kind, said], ['continue', ['hook-mistake']])
    })
  it('refuses what may send datagrams of the pod when it throws, where these are part of the session', () => {
    for (const [name, udp, expected] of [
      ['socket', true, 'result'],
      ['socket', false, 'continue'],
      ['dup', true, 'result'],
      ['recvfrom', true, 'continue'],
    ] as const) {
      const context = contextWith(() => {})
      context.accepting.world.outgoingRules = { tcp: false, udp, ignoreLocalhost: false }
      assert.equal(decide(callOf(numbers[name]), context).kind, expected, `${name} ${udp}`)
    }
  })
  it('leaves a call alone even when nobody can be told of the mistake', () => {
    const { kind } = decide(
      callOf(numbers.listen),
      contextWith(() => assert.fail('nobody listens')),
    )
    assert.equal(kind, 'continue')
  })
  it("leaves standin's own calls alone without a look", () => {
    const { kind } = decide(
      callOf(numbers.listen, { thread: ownThread }),
      contextWith(() => assert.fail('a notice')),
    )
    assert.equal(kind, 'continue')
  })
  it('leaves a 32-bit program alone with a notice', () => {
    const said: string[] = []
    const call = callOf(243)
    call.writeUInt32LE(architectures.x64.foreign[0].audit, 20)
    assert.equal(
      decide(
        call,
        contextWith(({ code }) => said.push(code)),
      ).kind,
      'continue',
    )
    assert.deepEqual(said, ['32-bit-program'])
  })
})

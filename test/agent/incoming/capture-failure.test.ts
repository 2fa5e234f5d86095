// What is said when a kernel lacks what the capture needs.
import assert from 'node:assert/strict'
import { captureRefusal, packetRing, packetSockets } from '../../../agent/incoming/capture-failure.ts'

describe('captureRefusal()', () => {
  const kernel = '6.8.0-45-generic'
  const socket = { step: 'socket(AF_PACKET)', needs: packetSockets }
  const ring = { step: 'setsockopt(PACKET_VERSION)', needs: packetRing }

  for (const [name, call, errno, message] of [
    [
      'a kernel without packet sockets',
      socket,
      'EAFNOSUPPORT',
      'Cannot use kernel feature "packet sockets (AF_PACKET, CONFIG_PACKET)": this Linux 6.8.0-45-generic does not offer it, it came with Linux 2.2',
    ],
    [
      'a kernel without rings of the third version',
      ring,
      'EINVAL',
      'Cannot use kernel feature "packet rings (TPACKET_V3)": this Linux 6.8.0-45-generic does not offer it, it came with Linux 3.2',
    ],
    [
      'a sandbox that knows no options of packet sockets',
      ring,
      'ENOPROTOOPT',
      'Cannot use kernel feature "packet rings (TPACKET_V3)": this Linux 6.8.0-45-generic does not offer it, it came with Linux 3.2',
    ],
  ] as const)
    it(`names the feature, and since when Linux has it, for ${name}`, () => {
      const failure = captureRefusal({ ...call, errno }, kernel)
      assert.deepEqual([failure.kind, failure.data.blame], ['kernel-feature-missing', 'user'])
      assert.equal(failure.message, message)
      assert.equal(failure.data.detail, `${call.step} gave ${errno}`)
      assert.doesNotMatch(failure.data.fix, /\{/)
    })

  it('names the right, where that is missing', () => {
    for (const call of [socket, ring])
      assert.equal(captureRefusal({ ...call, errno: 'EPERM' }, kernel).kind, 'right-missing')
  })

  it('blames us for everything else', () => {
    assert.equal(captureRefusal({ ...socket, errno: 'EMFILE' }, kernel).kind, 'agent-failed')
    assert.equal(captureRefusal({ step: 'bind(AF_PACKET)', errno: 'EINVAL' }, kernel).kind, 'agent-failed')
  })
})

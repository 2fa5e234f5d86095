// Which packets the capture's filter takes, and how much of each.
import assert from 'node:assert/strict'
import { maxInstructions, programBytes } from '../../../agent/incoming/bpf-program.ts'
import { captureFilter, snapBytes } from '../../../agent/incoming/filter.ts'
import type { Subscription } from '../../../agent/incoming/subscription.ts'
import { runFilter } from './bpf-interpreter.ts'
import { makePacket, type PacketParts } from './packets.ts'

const whole = 0x40000
const HOST = 0
const OTHERHOST = 3
const OUTGOING = 4
const caller = { address: '10.0.0.9', port: 40000 }
const pod = { address: '10.0.0.1', port: 8080 }
const caller6 = { address: 'fd00::9', port: 40000 }
const pod6 = { address: 'fd00::1', port: 8080 }

function taken(
  subscription: Partial<Subscription>,
  parts: PacketParts,
  seen: { type?: number; device?: number } = {},
): number {
  const program = captureFilter({ ports: [8080], answers: 'all', loopbackOnly: false, ...subscription })
  const { bytes, protocol } = makePacket(parts)
  const facts = { protocol, packetType: seen.type ?? HOST, interfaceIndex: seen.device ?? 2 }
  return runFilter(program, bytes, facts).bytes
}

describe('captureFilter()', () => {
  it('takes what arrives for the port whole, over IPv4 and IPv6', () => {
    assert.equal(taken({}, { from: caller, to: pod }), whole)
    assert.equal(taken({}, { from: caller6, to: pod6 }), whole)
    assert.equal(taken({}, { from: caller, to: pod, ipOptionsBytes: 8 }), whole)
  })

  it("takes of the pod's packets what the answers mode says", () => {
    for (const answers of ['none', 'heads', 'all'] as const)
      for (const [from, to] of [
        [pod, caller],
        [pod6, caller6],
      ] as const)
        assert.equal(taken({ answers }, { from, to }, { type: OUTGOING }), snapBytes[answers])
  })

  it('leaves other ports alone', () => {
    assert.equal(taken({}, { from: caller, to: { ...pod, port: 8081 } }), 0)
    assert.equal(taken({}, { from: { ...pod, port: 8079 }, to: caller }, { type: OUTGOING }), 0)
  })

  it("leaves the pod's own calls to the same port of others alone, and their answers", () => {
    assert.equal(taken({}, { from: caller, to: pod }, { type: OUTGOING }), 0)
    assert.equal(taken({}, { from: pod, to: caller }, { type: HOST }), 0)
  })

  it('takes each loopback packet once, in both roles', () => {
    const lo = { device: 1 }
    assert.equal(taken({}, { from: caller, to: pod }, { ...lo, type: HOST }), whole)
    assert.equal(taken({ answers: 'none' }, { from: pod, to: caller }, { ...lo, type: HOST }), snapBytes.none)
    assert.equal(taken({}, { from: caller, to: pod }, { ...lo, type: OUTGOING }), 0)
    assert.equal(taken({}, { from: pod, to: caller }, { ...lo, type: OUTGOING }), 0)
  })

  it('takes loopback alone when told so', () => {
    assert.equal(taken({ loopbackOnly: true }, { from: caller, to: pod }, { device: 2 }), 0)
    assert.equal(taken({ loopbackOnly: true }, { from: caller, to: pod }, { device: 1 }), whole)
  })

  describe('in a network that passes on what is for others', () => {
    const localTo = ['10.0.0.7', '10.0.0.1', 'fd00::7', 'fd00::1', '127.0.0.1']
    const other = { address: '10.0.0.2', port: 8080 }
    const other6 = { address: 'fd00::2', port: 8080 }

    it('takes what is for its own addresses, and its own answers', () => {
      for (const [from, to] of [
        [caller, pod],
        [caller6, pod6],
      ] as const) {
        assert.equal(taken({ localTo }, { from, to }), whole)
        assert.equal(taken({ localTo }, { from: to, to: from }, { type: OUTGOING }), whole)
        assert.equal(taken({ localTo }, { from, to, inlineTags: 1 }), whole)
      }
      assert.equal(taken({ localTo }, { from: caller6, to: pod6, hopByHop: true }), whole)
    })

    it("leaves what it passes on to another's same port alone, on its way in, on its way out and back", () => {
      for (const [from, to] of [
        [caller, other],
        [caller6, other6],
      ] as const)
        for (const type of [HOST, OUTGOING])
          for (const inlineTags of [0, 1]) {
            assert.equal(taken({ localTo }, { from, to, inlineTags }, { type }), 0)
            assert.equal(taken({ localTo }, { from: to, to: from, inlineTags }, { type }), 0)
          }
    })

    it('leaves what its own programs ask of another at the same port alone', () => {
      assert.equal(taken({ localTo }, { from: { ...pod, port: 40000 }, to: other }, { type: OUTGOING }), 0)
      assert.equal(taken({ localTo }, { from: other, to: { ...pod, port: 40000 } }), 0)
    })

    it('takes all of loopback, which is passed on to nobody', () => {
      const lo = { address: '127.9.9.9', port: 8080 }
      assert.equal(taken({ localTo }, { from: caller, to: lo }, { device: 1 }), whole)
      assert.equal(taken({ localTo }, { from: caller, to: lo }, { device: 2 }), 0)
    })

    it('takes nothing of a family that has no address, and stays within what the kernel takes', () => {
      assert.equal(taken({ localTo: ['10.0.0.1'] }, { from: caller6, to: pod6 }), 0)
      const ports = Array.from({ length: 512 }, (_, index) => 100 + index * 120)
      const many = Array.from({ length: 1000 }, (_, index) => [
        `10.1.${index >> 8}.${index & 255}`,
        `fd00::1:${index}`,
      ])
      const program = captureFilter({ ports, answers: 'all', loopbackOnly: false, localTo: many.flat() })
      assert.ok(program.length < maxInstructions, `${program.length} instructions`)
      assert.ok(program.every(({ jt, jf }) => jt <= 255 && jf <= 255))
    })
  })

  it('reads behind one and two VLAN tags that the device left in the packet', () => {
    for (const inlineTags of [1, 2]) {
      assert.equal(taken({}, { from: caller, to: pod, inlineTags }), whole)
      assert.equal(taken({}, { from: caller6, to: pod6, inlineTags }), whole)
      assert.equal(taken({}, { from: caller, to: { ...pod, port: 81 }, inlineTags }), 0)
    }
  })

  it('reads behind one IPv6 extension header', () => {
    assert.equal(taken({}, { from: caller6, to: pod6, hopByHop: true }), whole)
    assert.equal(taken({}, { from: caller6, to: { ...pod6, port: 81 }, hopByHop: true }), 0)
  })

  it('leaves fragments, frames for others, and what is not TCP alone', () => {
    assert.equal(taken({}, { from: caller, to: pod, fragment: 0x2000 }), 0)
    assert.equal(taken({}, { from: caller, to: pod, fragment: 0x0010 }), 0)
    assert.equal(taken({}, { from: caller, to: pod }, { type: OTHERHOST }), 0)
    const program = captureFilter({ ports: [8080], answers: 'all', loopbackOnly: false })
    const arp = { protocol: 0x0806, packetType: HOST, interfaceIndex: 2 }
    assert.equal(runFilter(program, Buffer.alloc(28), arp).bytes, 0)
    const { bytes, protocol } = makePacket({ from: caller, to: pod })
    bytes[9] = 17
    assert.equal(runFilter(program, bytes, { protocol, packetType: HOST, interfaceIndex: 2 }).bytes, 0)
  })

  it('takes nothing for no port', () => {
    assert.equal(taken({ ports: [] }, { from: caller, to: pod }), 0)
  })

  for (const count of [2, 5, 256, 512]) {
    it(`takes exactly ${count} scattered ports, in few steps`, () => {
      const ports = Array.from({ length: count }, (_, index) => 100 + index * 120)
      const program = captureFilter({ ports, answers: 'heads', loopbackOnly: false })
      assert.ok(program.length < maxInstructions)
      assert.ok(program.every(({ jt, jf }) => jt <= 255 && jf <= 255))
      assert.equal(programBytes(program).length, program.length * 8)
      for (let port = 60; port < 61_600; port += 40) {
        const packet = makePacket({ from: caller, to: { ...pod, port } })
        const facts = { protocol: packet.protocol, packetType: HOST, interfaceIndex: 2 }
        const { bytes, steps } = runFilter(program, packet.bytes, facts)
        assert.equal(bytes, ports.includes(port) ? whole : 0, `port ${port}`)
        assert.ok(steps < 60, `${steps} steps`)
        const answer = makePacket({ from: { ...pod, port }, to: caller })
        const leaving = runFilter(program, answer.bytes, { ...facts, packetType: OUTGOING })
        assert.equal(leaving.bytes, ports.includes(port) ? snapBytes.heads : 0, `port ${port}`)
      }
    })
  }

  it('takes a range that holds all when ports are too many to list', () => {
    const ports = Array.from({ length: 1000 }, (_, index) => 2000 + index * 3)
    assert.equal(taken({ ports }, { from: caller, to: { ...pod, port: 1999 } }), 0)
    assert.equal(taken({ ports }, { from: caller, to: { ...pod, port: 2000 } }), whole)
    assert.equal(taken({ ports }, { from: caller, to: { ...pod, port: 4997 } }), whole)
    assert.equal(taken({ ports }, { from: caller, to: { ...pod, port: 4998 } }), 0)
  })
})

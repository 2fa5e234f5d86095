// What is read of a packet's headers, and which packets are left alone.
import assert from 'node:assert/strict'
import { addressText } from '../../../agent/incoming/address.ts'
import { checksumHolds, emptySegment, readSegment } from '../../../agent/incoming/segment.ts'
import { makePacket, type PacketParts } from './packets.ts'

const from = { address: '10.0.0.9', port: 40000 }
const to = { address: '10.0.0.1', port: 8080 }
const six = { from: { address: 'fd00::9', port: 40000 }, to: { address: 'fd00::1', port: 8080 } }
const payload = Buffer.from('hello')

function read(parts: PacketParts, cut?: number, paddingBytes = 0) {
  const { bytes, protocol } = makePacket(parts)
  const frame = Buffer.concat([bytes, Buffer.alloc(paddingBytes)])
  const capturedBytes = cut ?? frame.length
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  const segment = emptySegment()
  const known = readSegment(view, { at: 0, capturedBytes, wireBytes: frame.length, protocol }, segment)
  const shown = known
    ? frame.toString('latin1', segment.payloadAt, segment.payloadAt + segment.capturedBytes)
    : ''
  return { known, segment, shown, view, frame }
}

describe('readSegment()', () => {
  it('finds payload, ports and numbers behind any headers', () => {
    for (const parts of [
      { from, to },
      { from, to, ipOptionsBytes: 12, tcpOptionsBytes: 20 },
      { from, to, inlineTags: 1 },
      { from, to, inlineTags: 2 },
      six,
      { ...six, hopByHop: true },
      { ...six, inlineTags: 1, tcpOptionsBytes: 12 },
    ]) {
      const { known, segment, shown, view } = read({ ...parts, payload, seq: 0xfffffff0, ack: 7 })
      assert.ok(known)
      assert.equal(shown, 'hello')
      assert.equal(segment.payloadBytes, 5)
      assert.deepEqual([segment.sourcePort, segment.destinationPort], [40000, 8080])
      assert.deepEqual([segment.seq, segment.ack], [0xfffffff0, 7])
      assert.equal(addressText(view, segment.addressAt, segment.addressBytes), parts.from.address)
      assert.ok(checksumHolds(view, segment))
    }
  })

  it('tells the padding of a short frame from payload', () => {
    assert.equal(read({ from, to, payload: Buffer.from('x') }, undefined, 20).shown, 'x')
    assert.equal(read({ ...six, payload: Buffer.from('x') }, undefined, 20).shown, 'x')
  })

  it('tells what was captured of a cut packet from what it carried', () => {
    const { segment, shown } = read({ from, to, payload: Buffer.alloc(3000, 'a') }, 128)
    assert.equal(shown.length, 128 - 40)
    assert.equal(segment.payloadBytes, 3000)
  })

  it('takes the length of the frame where the length field of a packet beyond 64 KiB is 0', () => {
    const large = Buffer.alloc(100_000, 'b')
    for (const parts of [{ from, to }, { ...six, hopByHop: true }, six]) {
      const { known, segment } = read({ ...parts, payload: large, lengthUnknown: true })
      assert.ok(known)
      assert.equal(segment.payloadBytes, large.length)
    }
  })

  it('refuses fragments, cut headers and contradictory lengths', () => {
    assert.ok(!read({ from, to, fragment: 0x2000 }).known)
    assert.ok(!read({ from, to, fragment: 1 }).known)
    for (let cut = 0; cut < 40; cut++) assert.ok(!read({ from, to, payload }, cut).known, `cut at ${cut}`)
    for (let cut = 0; cut < 60; cut++) assert.ok(!read({ ...six, payload }, cut).known, `cut at ${cut}`)
    const { bytes, protocol } = makePacket({ from, to, payload })
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const packet = { at: 0, capturedBytes: bytes.length, wireBytes: bytes.length, protocol }
    for (const [at, value] of [
      [0, 0x65],
      [0, 0x44],
      [2, 0xff],
      [32, 0x40],
      [32, 0xf0],
    ] as const) {
      const kept = bytes[at]!
      bytes[at] = value
      assert.ok(!readSegment(view, packet, emptySegment()), `byte ${at} as ${value}`)
      bytes[at] = kept
    }
  })
})

describe('checksumHolds()', () => {
  it('finds one damaged byte, in segments of even and odd length', () => {
    for (const text of ['hell', 'hello']) {
      const { segment, view, frame } = read({ from, to, payload: Buffer.from(text) })
      assert.ok(checksumHolds(view, segment))
      frame[segment.payloadAt + 3]! ^= 0x10
      assert.ok(!checksumHolds(view, segment))
    }
  })
})

describe('addressText()', () => {
  const text = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex')
    return addressText(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  }
  it('writes addresses as the kernel does', () => {
    assert.equal(text('7f000001'), '127.0.0.1')
    assert.equal(text('00000000000000000000000000000001'), '::1')
    assert.equal(text('00000000000000000000000000000000'), '::')
    assert.equal(text('fe800000000000000204000000000000'), 'fe80::204:0:0:0')
    assert.equal(text('20010db8000000010001000100010001'), '2001:db8:0:1:1:1:1:1')
    assert.equal(text('20010db8000000000001000000000001'), '2001:db8::1:0:0:1')
  })
  it('writes IPv4 mapped into IPv6 as IPv4', () => {
    assert.equal(text('00000000000000000000ffff0a000001'), '10.0.0.1')
  })
})

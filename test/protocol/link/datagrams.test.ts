// Datagrams inside of a stream as bytes: written, read in any pieces, refused when they are wrong.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Failure } from '../../../protocol/errors.ts'
import {
  DatagramReader,
  encodeDatagram,
  encodeDatagramError,
  maxDatagramBytes,
} from '../../../protocol/link/datagrams.ts'

const refusalOf = (hex: string): string => {
  try {
    new DatagramReader().read(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === 'frame-invalid')
    return error.message
  }
  return 'taken'
}

describe('datagrams of a stream', () => {
  it('have these bytes', () => {
    const four = { address: '10.0.0.1', port: 53 }
    assert.equal(
      encodeDatagram(four, Buffer.from('hi')).toString('hex'),
      '01 08 0035 0002 31302e302e302e31 6869'.replaceAll(' ', ''),
    )
    assert.equal(
      encodeDatagramError({ address: '::1', port: 65_535 }, 'EPERM').toString('hex'),
      '02 03 ffff 0005 3a3a31 455045524d'.replaceAll(' ', ''),
    )
  })

  it('come out as they went in, in whatever pieces their bytes arrive', () => {
    const peer = fc.record(
      { address: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.nat(65_535) },
      { noNullPrototype: true },
    )
    const bytesOf = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes))
    const one = fc.oneof(
      fc.tuple(peer, bytesOf).map(([to, payload]) => ({ kind: 'datagram', peer: to, payload })),
      fc.tuple(peer).map(([to]) => ({ kind: 'error', peer: to, payload: Buffer.from('EHOSTUNREACH') })),
    )
    fc.assert(
      fc.property(fc.array(one), fc.integer({ min: 1, max: 700 }), (datagrams, piece) => {
        const bytes = Buffer.concat(
          datagrams.map(({ kind, peer: to, payload }) =>
            kind === 'error' ? encodeDatagramError(to, 'EHOSTUNREACH') : encodeDatagram(to, payload),
          ),
        )
        const reader = new DatagramReader()
        const found = []
        for (let at = 0; at < bytes.length; at += piece)
          found.push(...reader.read(bytes.subarray(at, at + piece)))
        assert.deepEqual(
          found.map(each => ({ ...each, payload: Buffer.from(each.payload) })),
          datagrams,
        )
      }),
    )
  })

  it('may be empty, and as large as UDP carries', () => {
    const peer = { address: '10.0.0.1', port: 1 }
    for (const length of [0, maxDatagramBytes]) {
      const [found] = new DatagramReader().read(encodeDatagram(peer, Buffer.alloc(length, 7)))
      assert.equal(found?.payload.length, length)
    }
  })

  it('are refused when their kind or their address is none', () => {
    assert.match(refusalOf('00 08 0035 0002 31302e302e302e31 6869'), /kind 0/)
    assert.match(refusalOf('03 08 0035 0002'), /kind 3/)
    assert.match(refusalOf('01 00 0035 0002 6869'), /address of 0 bytes/)
    assert.match(refusalOf('01 41 0035 0002'), /address of 65 bytes/)
  })
})

// The link's frames as bytes: written, read in any pieces, refused when they are wrong.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Failure } from '../../../protocol/errors.ts'
import {
  encodeFrame,
  type Frame,
  FrameReader,
  frameType,
  maxPayloadBytes,
} from '../../../protocol/link/frame.ts'
import { dataOf, dataPrefix } from '../../../protocol/link/payload.ts'

const none = Buffer.alloc(0)
const hexes: [string, Frame, Buffer | undefined, string][] = [
  [
    'an ack of 258',
    {
      type: frameType.ack,
      flags: 0,
      stream: 0,
      sequence: 0n,
      payload: Buffer.from('0000000000000102', 'hex'),
    },
    undefined,
    '00000018 02 00 0000 00000000 0000000000000000 0000000000000102',
  ],
  [
    'a control frame, the 7th of its direction',
    { type: frameType.control, flags: 0, stream: 0, sequence: 7n, payload: Buffer.from('{}') },
    undefined,
    '00000012 05 00 0000 00000000 0000000000000007 7b7d',
  ],
  [
    "the open of the agent's first stream, one way",
    { type: frameType.open, flags: 4, stream: 2, sequence: 1n, payload: Buffer.from('{}') },
    undefined,
    '00000012 06 04 0000 00000002 0000000000000001 7b7d',
  ],
  [
    'timed data after which 5 bytes were skipped',
    { type: frameType.data, flags: 3, stream: 2, sequence: 2n, payload: Buffer.from('hi') },
    dataPrefix({ timeMs: 1.5, skipped: 5 }).prefix,
    '0000001e 07 03 0000 00000002 0000000000000002 3ff8000000000000 00000005 6869',
  ],
  [
    'an end with the largest stream and sequence',
    { type: frameType.end, flags: 0, stream: 0xffffffff, sequence: 2n ** 64n - 1n, payload: none },
    undefined,
    '00000010 09 00 0000 ffffffff ffffffffffffffff',
  ],
]

const header = '00000000000000000000000000000000'

function refusalOf(hex: string): string {
  try {
    new FrameReader().read(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === 'frame-invalid')
    return error.message
  }
  return 'accepted'
}

describe('encodeFrame()', () => {
  for (const [name, frame, prefix, hex] of hexes) {
    it(`writes ${name}`, () => {
      assert.equal(encodeFrame(frame, prefix).toString('hex'), hex.replaceAll(' ', ''))
    })
  }
})

describe('FrameReader', () => {
  for (const [name, frame, prefix, hex] of hexes) {
    it(`reads ${name}`, () => {
      const payload = Buffer.concat([prefix ?? none, frame.payload])
      assert.deepEqual(new FrameReader().read(Buffer.from(hex.replaceAll(' ', ''), 'hex')), [
        { ...frame, payload },
      ])
    })
  }

  it('gives the same frames however the bytes are split', () => {
    const frames = fc.array(
      fc.record(
        {
          type: fc.constantFrom(...Object.values(frameType)),
          flags: fc.nat(255),
          stream: fc.nat(0xffffffff),
          sequence: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          payload: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map(frame => encodeFrame(frame)))
        const reader = new FrameReader()
        const read: Frame[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length]!
          read.push(...reader.read(Buffer.from(bytes.subarray(at, at + size))))
          at += size
        }
        assert.deepEqual(read, sent)
      }),
    )
  })

  it('takes the largest payload and refuses a larger one before it has come', () => {
    const payload = Buffer.alloc(maxPayloadBytes, 1)
    const frame: Frame = { type: frameType.control, flags: 0, stream: 0, sequence: 1n, payload }
    assert.equal(new FrameReader().read(encodeFrame(frame))[0]?.payload.length, maxPayloadBytes)
    assert.equal(refusalOf('00100011'), 'Cannot read frame: a length of 1048593 bytes')
  })

  it('refuses a length of 1 GiB, and one that is shorter than a header', () => {
    assert.equal(refusalOf('40000000'), 'Cannot read frame: a length of 1073741824 bytes')
    assert.equal(refusalOf('0000000f'), 'Cannot read frame: a length of 15 bytes')
  })

  it('refuses a type that is unknown and reserved bytes that are not zero', () => {
    assert.equal(refusalOf(`00000010 00${header.slice(2)}`), 'Cannot read frame: type 0 is unknown')
    assert.equal(refusalOf(`00000010 0b${header.slice(2)}`), 'Cannot read frame: type 11 is unknown')
    assert.equal(
      refusalOf(`00000010 09000001${header.slice(8)}`),
      'Cannot read frame: reserved bytes are not zero',
    )
  })
})

describe('dataOf()', () => {
  it('gives back what dataPrefix() wrote, with and without time and skipped bytes', () => {
    const contents = fc.record(
      { timeMs: fc.double({ noNaN: true }), skipped: fc.nat(0xffffffff) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(contents, fc.uint8Array(), (content, bytes) => {
        const { flags, prefix } = dataPrefix(content)
        const payload = Buffer.concat([prefix, bytes])
        assert.deepEqual(dataOf({ flags, payload }), { bytes: Buffer.from(bytes), ...content })
      }),
    )
  })

  it('refuses a payload that is shorter than its flags say', () => {
    assert.throws(() => dataOf({ flags: 3, payload: Buffer.alloc(11) }), /data of 11 bytes/)
  })
})

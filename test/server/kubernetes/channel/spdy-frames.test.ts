// Frames of SPDY against what a node sent, in any pieces, and header blocks against an inflater.
import assert from 'node:assert/strict'
import { constants, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import {
  encodeData,
  encodePing,
  encodeSynStream,
  type Frame,
  FrameReader,
  flagFin,
  HeaderBlocks,
} from '../../../../server/kubernetes/channel/spdy-frames.ts'

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex')

// What a node of Kubernetes 1.34 sent for a connection that carried three bytes.
const captured = hex(`
  80030002 00000014 00000003 78f9e3c6a7c26260606000000000ffff
  80030002 0000000c 00000001 026100000000ffff
  00000003 00000003 dc3a2c
  00000003 01000000
  00000001 01000000`)
const frames: Frame[] = [
  { type: 'reply', stream: 3, fin: false },
  { type: 'reply', stream: 1, fin: false },
  { type: 'data', stream: 3, fin: false, bytes: hex('dc3a2c') },
  { type: 'data', stream: 3, fin: true, bytes: hex('') },
  { type: 'data', stream: 1, fin: true, bytes: hex('') },
]

/** Pieces of the same data frame as one. */
function joined(found: readonly Frame[]): Frame[] {
  const all: Frame[] = []
  for (const frame of found) {
    const last = all.at(-1)
    if (
      frame.type === 'data' &&
      last?.type === 'data' &&
      last.stream === frame.stream &&
      frame.bytes.length > 0
    )
      all[all.length - 1] = { ...frame, bytes: Buffer.concat([last.bytes, frame.bytes]) }
    else all.push(frame)
  }
  return all
}

describe('FrameReader', () => {
  it('finds the frames that a node sent', () => {
    assert.deepEqual([...new FrameReader().read(captured)], frames)
  })

  it('finds the same frames in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), sizes => {
        const reader = new FrameReader()
        const found: Frame[] = []
        for (let at = 0, turn = 0; at < captured.length; turn++) {
          const size = sizes[turn % sizes.length]!
          found.push(...reader.read(captured.subarray(at, at + size)))
          at += size
        }
        assert.deepEqual(joined(found), frames)
      }),
    )
  })

  it('gives data as it comes, and its end with the last of it', () => {
    const reader = new FrameReader()
    const whole = encodeData(3, [Buffer.from('abcd')], { flags: flagFin })
    const data = (text: string, fin: boolean) => ({ type: 'data', stream: 3, fin, bytes: Buffer.from(text) })
    assert.deepEqual([...reader.read(whole.subarray(0, 10))], [data('ab', false)])
    assert.deepEqual([...reader.read(whole.subarray(10))], [data('cd', true)])
  })

  it('knows resets and pings, and passes over what it need not know', () => {
    const bytes = Buffer.concat([
      hex('80030003 00000008 00000003 00000005'),
      encodePing(2),
      hex('80030007 00000008 00000003 00000000'),
    ])
    assert.deepEqual(
      [...new FrameReader().read(bytes)],
      [{ type: 'reset', stream: 3, status: 5 }, { type: 'ping', id: 2 }, { type: 'other' }],
    )
  })

  it('throws at what is no SPDY', () => {
    assert.throws(() => [...new FrameReader().read(hex('80020001 00000000'))], /no SPDY\/3\.1/)
  })
})

describe('HeaderBlocks', () => {
  it('are one zlib stream that any inflater reads, cut where frames end', () => {
    const blocks = new HeaderBlocks()
    const first = blocks.encode({ port: '80' })
    const second = blocks.encode({ port: '443', streamtype: 'data' })
    const inflated = (bytes: Buffer) =>
      inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString('hex')
    const one = `00000001 00000004${text('port')} 00000002${text('80')}`.replace(/\s/g, '')
    const two = `00000002 00000004${text('port')} 00000003${text('443')} 0000000a${text('streamtype')} 00000004${text('data')}`
    assert.equal(inflated(first), one)
    assert.equal(inflated(Buffer.concat([first, second])), one + two.replace(/\s/g, ''))
  })
})

const text = (value: string) => Buffer.from(value).toString('hex')

describe('encodeSynStream()', () => {
  it('opens a stream of its own, at the highest priority', () => {
    assert.equal(encodeSynStream(3, hex('aabb')).toString('hex'), '800300010000000c00000003000000000000aabb')
  })
})

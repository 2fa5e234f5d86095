// The property of reassembly: whatever the network does to a stream's segments, the stream comes out, or a gap is named.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Overlap } from '../../../agent/incoming/out-of-order.ts'
import { Reassembly } from '../../../agent/incoming/reassemble.ts'

function reassembly(overlap: Overlap, isn: number) {
  const budget = { usedBytes: 0, limitBytes: 1e9 }
  let [text, ends] = ['', 0]
  const sink = {
    data(source: Uint8Array, from: number, to: number) {
      assert.equal(ends, 0)
      text += Buffer.from(source.subarray(from, to)).toString('latin1')
    },
    skipped(bytes: number) {
      text += '?'.repeat(bytes)
    },
    end() {
      ends++
    },
  }
  const half = new Reassembly(sink, { limitBytes: 1e9, budget, overlap })
  half.start(isn)
  return { half, budget, text: () => text, ends: () => ends }
}

/** A stream of distinct bytes, as far as bytes go. */
const streamOf = (length: number) =>
  Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255))

/** Cuts that cover the stream, with any overlaps and repetitions added, in any order. */
const scenario = fc
  .record({
    length: fc.integer({ min: 1, max: 400 }),
    isn: fc.oneof(fc.constant(0), fc.integer({ min: 0xfffffe00, max: 0xffffffff }), fc.nat()),
    overlap: fc.constantFrom<Overlap>('first', 'last'),
    cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
    extra: fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 80 })), { maxLength: 10 }),
    order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
    lost: fc.option(fc.nat()),
  })
  .map(({ length, isn, overlap, cuts, extra, order, lost }) => {
    const edges = [...new Set([0, ...cuts.filter(cut => cut < length), length])].sort((a, b) => a - b)
    const cover = edges.slice(1).map((to, index) => ({ from: edges[index]!, to }))
    const more = extra.map(([from, size]) => ({
      from: Math.min(from, length),
      to: Math.min(from + size, length),
    }))
    const all = [...cover, ...more]
    const mixed = all
      .map((segment, index) => ({ segment, rank: order[index]! }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ segment }) => segment)
    const segments = lost === null ? mixed : mixed.filter((_, index) => index !== lost % mixed.length)
    return { length, isn, overlap, segments }
  })

describe('Reassembly', () => {
  it('gives any interleaving, repetition and splitting of a stream back as the stream, or names the gap', () => {
    fc.assert(
      fc.property(scenario, ({ length, isn, overlap, segments }) => {
        const stream = streamOf(length)
        const { half, budget, text, ends } = reassembly(overlap, isn)
        for (const { from, to } of segments) {
          const bytes = new Uint8Array(stream.subarray(from, to))
          const fin = to === length
          const seq = (isn + from) >>> 0
          const arrival = {
            seq,
            length: bytes.length,
            source: bytes,
            from: 0,
            to: bytes.length,
            fin,
            timeMs: 0,
          }
          assert.equal(half.push(arrival), undefined)
          bytes.fill(0)
        }
        const seen = Buffer.alloc(length + 1)
        for (const { from, to } of segments) seen.fill(1, from, to === length ? length + 1 : to)
        const hole = seen.indexOf(0)
        const filled = hole < 0 ? -1 : seen.indexOf(1, hole)
        const whole = stream.toString('latin1')
        assert.equal(text(), hole < 0 ? whole : whole.slice(0, hole))
        assert.equal(ends(), hole < 0 ? 1 : 0)
        const missing = half.missingBefore((isn + length + 1) >>> 0)
        assert.equal(missing, hole < 0 ? 0 : (filled < 0 ? length + 1 : filled) - hole)
        half.drop()
        assert.equal(budget.usedBytes, 0)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps by each policy the bytes that its name says, of any conflicting early segments', () => {
    const segments = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 })), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(segments, fc.constantFrom<Overlap>('first', 'last'), (list, overlap) => {
        const { half, text } = reassembly(overlap, 0xffffffe0)
        const expected = Buffer.alloc(100)
        list.forEach(([from, size], index) => {
          const bytes = new Uint8Array(size).fill(index + 1)
          for (let at = from; at < from + size; at++)
            if (expected[at] === 0 || overlap === 'last') expected[at] = index + 1
          const seq = (0xffffffe0 + from) >>> 0
          half.push({ seq, length: size, source: bytes, from: 0, to: size, fin: false, timeMs: 0 })
        })
        const first = new Uint8Array(1).fill(255)
        half.push({ seq: 0xffffffe0, length: 1, source: first, from: 0, to: 1, fin: false, timeMs: 0 })
        expected[0] = 255
        assert.equal(text(), expected.toString('latin1', 0, expected.indexOf(0)))
      }),
      { numRuns: 300 },
    )
  })

  it('ignores what lies beyond any window', () => {
    const { half, text } = reassembly('first', 1000)
    const source = new Uint8Array(10)
    for (const seq of [1000 + 2 ** 30, 1000 + 2 ** 31, 1000 - 2 ** 30 - 100])
      half.push({ seq: seq >>> 0, length: 10, source, from: 0, to: 10, fin: true, timeMs: 0 })
    assert.equal(half.missingBefore((1000 + 2 ** 30) >>> 0), 0)
    assert.equal(text(), '')
    assert.equal(half.ended, false)
  })
})

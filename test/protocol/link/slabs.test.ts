// Memory of frames: nothing is given twice while it is held, and the same pieces serve a long transfer.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Slabs } from '../../../protocol/link/slabs.ts'

describe('slabs', () => {
  it('never give memory that is still held, whatever the sizes and the order of taking and letting go', () => {
    const steps = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 300_000 }), fc.constantFrom('letGo', 'leave')),
      {
        maxLength: 60,
      },
    )
    fc.assert(
      fc.property(steps, taken => {
        const slabs = new Slabs()
        const held: { memory: Buffer; mark: number }[] = []
        const left: { memory: Buffer; mark: number }[] = []
        let mark = 0
        for (const step of taken) {
          if (typeof step === 'number') {
            mark = (mark + 1) % 256
            const memory = slabs.take(step)
            assert.equal(memory.length, step)
            memory.fill(mark)
            held.push({ memory, mark })
          } else if (step === 'letGo' && held.length > 0) {
            slabs.letGo()
            held.shift()
          } else if (step === 'leave') {
            slabs.leave()
            left.push(...held)
          }
        }
        for (const { memory, mark } of [...held, ...left])
          assert.ok(memory[0] === mark && memory.at(-1) === mark, 'memory was given twice')
      }),
      { numRuns: 200 },
    )
  })

  it('serve a long transfer from few pieces', () => {
    const slabs = new Slabs()
    const pieces = new Set<ArrayBufferLike>()
    const inFlight = 40
    for (let n = 0; n < 10_000; n += 1) {
      pieces.add(slabs.take(65_556).buffer)
      if (n >= inFlight) slabs.letGo()
    }
    assert.ok(pieces.size <= 10, `${pieces.size} pieces`)
  })
})

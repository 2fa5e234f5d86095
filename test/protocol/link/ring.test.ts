// The queue of what waits in the link: order, growth, and what an empty one gives.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ring } from '../../../protocol/link/ring.ts'

describe('a ring', () => {
  it('gives what was put in, in that order, as an array does', () => {
    const steps = fc.array(fc.oneof(fc.nat(), fc.constantFrom('shift', 'replace', 'clear')), {
      maxLength: 300,
      size: 'max',
    })
    fc.assert(
      fc.property(steps, taken => {
        const ring = new Ring<number>()
        const array: number[] = []
        for (const step of taken) {
          if (step === 'shift') assert.equal(ring.shift(), array.shift())
          else if (step === 'replace' && array.length > 0) {
            ring.replaceFirst(-1)
            array[0] = -1
          } else if (step === 'clear' && array.length > 40) {
            ring.clear()
            array.length = 0
          } else if (typeof step === 'number') {
            ring.push(step)
            array.push(step)
          }
          assert.deepEqual([ring.first, ring.last, ring.length], [array[0], array.at(-1), array.length])
        }
      }),
    )
  })

  it('keeps the order when it grows from its middle', () => {
    const ring = new Ring<number>()
    for (let n = 0; n < 10; n += 1) ring.push(n)
    for (let n = 0; n < 10; n += 1) ring.shift()
    for (let n = 0; n < 100; n += 1) ring.push(n)
    assert.deepEqual(
      Array.from({ length: 100 }, () => ring.shift()),
      Array.from({ length: 100 }, (_, n) => n),
    )
    assert.equal(ring.shift(), undefined)
  })
})

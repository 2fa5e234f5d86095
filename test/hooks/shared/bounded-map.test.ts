// A bounded map forgets the oldest entries only.
import assert from 'node:assert/strict'
import { BoundedMap } from '../../../hooks/shared/bounded-map.ts'

describe('BoundedMap', () => {
  it('forgets what was set longest ago', () => {
    const map = new BoundedMap<string, number>(2)
    map.set('a', 1).set('b', 2).set('a', 3).set('c', 4)
    assert.deepEqual(
      [...map],
      [
        ['a', 3],
        ['c', 4],
      ],
    )
  })
})

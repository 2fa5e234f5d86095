// The numbers of UDP sockets: under the limit of open files, and where select(2) takes them as long as there are some.
import assert from 'node:assert/strict'
import { numbersOf, windowUnder } from '../../../hooks/shared/window.ts'

describe('windowUnder()', () => {
  for (const [limit, expected] of [
    [undefined, [[768, 1024]]],
    [256n, [[192, 256]]],
    [1024n, [[768, 1024]]],
    [4095n, [[768, 1024]]],
    [
      4096n,
      [
        [768, 1024],
        [3072, 4096],
      ],
    ],
    [
      1_048_576n,
      [
        [768, 1024],
        [64_512, 65_536],
      ],
    ],
  ] as const)
    it(`of a limit of ${limit} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(
        windowUnder(limit).map(({ from, to }) => [from, to]),
        expected,
      )
    })
})

describe('numbersOf()', () => {
  const window = [
    { from: 10, to: 13 },
    { from: 20, to: 22 },
  ]
  it('gives the low ones first, from the top', () => {
    assert.deepEqual([...numbersOf(window)], [12, 11, 10, 21, 20])
  })
  it('gives none under the least that is asked for', () => {
    assert.deepEqual([...numbersOf(window, 12)], [12, 21, 20])
    assert.deepEqual([...numbersOf(window, 30)], [])
  })
})

// The numbers of UDP sockets: under the limit of open files, and where select(2) takes them as long as there are some.
import assert from 'node:assert/strict'
import { clearOf, numbersOf, windowUnder } from '../../../hooks/shared/window.ts'

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
        windowUnder({ soft: limit, hard: limit }).map(({ from, to }) => [from, to]),
        expected,
      )
    })
})

describe('windowUnder() of a soft limit that can be raised', () => {
  const low = [768, 1024]
  const high = [64_512, 65_536]
  for (const [soft, hard, expected] of [
    [1024n, 1_048_576n, [low, high]],
    [20_000n, 1_048_576n, [low, [18_976, 20_000], high]],
    [65_000n, 1_048_576n, [low, [63_976, 65_000]]],
    [1024n, 2048n, [low]],
    [1024n, undefined, [low]],
  ] as const)
    it(`${soft}, to ${hard}, is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(
        windowUnder({ soft, hard }).map(({ from, to }) => [from, to]),
        expected,
      )
    })
})

describe('clearOf()', () => {
  const low = { from: 768, to: 1024 }
  const high = { from: 64_512, to: 65_536 }
  it('puts the low numbers last when files have come near them', () => {
    assert.deepEqual(
      clearOf([low, high], number => number <= 704),
      [high, low],
    )
  })
  it('leaves them first before, and where there are no others', () => {
    assert.deepEqual(
      clearOf([low, high], number => number < 704),
      [low, high],
    )
    assert.deepEqual(
      clearOf([low], () => true),
      [low],
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

// The statistics of the benchmarks: medians, interleaving, and the chance that a difference is none.
import assert from 'node:assert/strict'
import { chanceOfNoDifference, compared, interleaved, median, shown } from './measure.ts'

const range = (n: number, from: number) => Array.from({ length: n }, (_, i) => from + i)

describe('measure', () => {
  it('median() takes the middle, or the mean of the two in the middle', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 2, 3]), 2.5)
  })

  it('chanceOfNoDifference() is 1 for the same values and tiny for values apart', () => {
    assert.ok(chanceOfNoDifference(range(20, 0), range(20, 0)) > 0.99)
    assert.ok(chanceOfNoDifference(range(20, 0), range(20, 100)) < 0.0001)
  })

  it('chanceOfNoDifference() is about 0.05 at the critical value of the tables, U = 13 for 8 and 8', () => {
    const b = [10, 20, 30, 40, 50, 60, 70, 80]
    const a = [5, 6, 7, 15, 25, 35, 36, 45]
    assert.ok(Math.abs(chanceOfNoDifference(a, b) - 0.05) < 0.01)
  })

  it('interleaved() runs both sides equally often, in turn', async () => {
    const order: string[] = []
    const side = (name: string) => async () => order.push(name)
    await interleaved('x', { runs: 3, unit: 'ms', baseline: side('b'), measured: side('m') })
    assert.deepEqual(order, ['b', 'm', 'm', 'b', 'b', 'm'])
  })

  it('shown() prints the ratio, both medians and what is added', () => {
    const line = shown(compared('start', 'ms', [1, 2, 3], [12.5, 12.5, 12.5]))
    assert.match(line, /^start: 6\.25x \(2\.00 ms -> 12\.5 ms, \+10\.5 ms; 3 runs/)
    assert.match(shown(compared('start', 'ns', [300], [180])), /0\.60x \(300 ns -> 180 ns, -120 ns;/)
  })

  it('compared() gives the ratio of the medians', () => {
    assert.equal(compared('x', 'ms', [1, 2, 3], [4, 4, 4]).ratio, 2)
  })
})

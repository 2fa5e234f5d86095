// The numbers of the demo: percentiles, sameness, copies.
import assert from 'node:assert/strict'
import { latency, percentile, sameLatency, wrongCopies } from './figures.ts'
import { atLeast } from './requirements.ts'

const call = (item: string, ms = 1) => ({ item, caller: '10.77.0.11:4000', label: 'with 1', ms })
const arrival = (item: string, caller = '10.77.0.11:4000') => ({ method: 'GET', item, caller })

describe('percentile()', () => {
  it('is the value that so many percent are not above', () => {
    assert.equal(percentile([3, 1, 2], 50), 2)
    assert.equal(percentile([...Array(100).keys()], 99), 98)
    assert.ok(Number.isNaN(percentile([], 50)))
  })
})

describe('latency()', () => {
  it('counts requests', () => {
    assert.deepEqual(latency([call('/a', 1), call('/b', 3)]), { requests: 2, p50: 1, p99: 3 })
  })
})

describe('sameLatency()', () => {
  it('holds when rounds overlap or nobody would notice, and fails on a clear difference', () => {
    assert.ok(sameLatency([1, 1.5], [1.4, 2]))
    assert.ok(sameLatency([1, 1.01], [1.05, 1.08]))
    assert.ok(sameLatency([2, 2.1], [1, 1.1]))
    assert.ok(!sameLatency([0.07, 0.08, 0.07], [0.8, 0.7, 0.9]))
  })
})

describe('wrongCopies()', () => {
  it('finds what did not come, came twice, or came from somebody else', () => {
    const calls = ['/a', '/b', '/c', '/d'].map(item => call(item))
    const arrivals = [arrival('/a'), arrival('/b'), arrival('/b'), arrival('/c', '127.0.0.1:4000')]
    assert.deepEqual(
      wrongCopies(calls, arrivals).map(({ item }) => item),
      ['/b', '/c', '/d'],
    )
  })
})

describe('atLeast()', () => {
  it('compares kernel releases by their numbers', () => {
    assert.ok(atLeast('5.14.0-70.el9', 5, 14))
    assert.ok(atLeast('6.8.0-45-generic', 5, 14))
    assert.ok(!atLeast('5.9.16', 5, 14))
  })
})

// The numbers of the demo, what it claims by them, and what it says of this machine.
import assert from 'node:assert/strict'
import { latency, looksSlower, percentile, type RoundMedians, wrongCopies } from './figures.ts'
import { atLeast, lackingRights, sentenceOf } from './requirements.ts'
import { arrivalPrinter } from './show.ts'
import { claimsOf, type Result } from './summary.ts'

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

describe('looksSlower()', () => {
  /** A number from 0 to 1 each time, the same ones in each run of the tests; mulberry32. */
  function dice(seed: number): () => number {
    let state = seed
    return () => {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
    }
  }
  /** Six rounds on a machine whose load changes from round to round; each median also varies by itself; the pod needs `addedMs` more. */
  function rounds(roll: () => number, load: number, addedMs = 0): RoundMedians[] {
    return Array.from({ length: 6 }, () => {
      const weather = 0.3 * (1 + load * roll())
      const own = () => weather * (0.85 + 0.3 * roll())
      return { pod: own() + addedMs, twin: own() }
    })
  }
  const share = (slower: (roll: () => number) => boolean) =>
    Array.from({ length: 500 }, (_, seed) => slower(dice(seed))).filter(Boolean).length / 500

  it('is false when standin keeps the machine so busy that pod and twin answer 10 times slower', () => {
    const wrong = share(roll => looksSlower(rounds(roll, 1), rounds(roll, 20)))
    assert.ok(wrong < 0.01, `${wrong}`)
  })

  it('is false for a difference that is measured each time and that nobody would notice', () => {
    const without = [1, 1.01, 1.02, 1.01, 1, 1.02].map(pod => ({ pod, twin: 1 }))
    const withIt = [1.2, 1.21, 1.22, 1.2, 1.21, 1.2].map(pod => ({ pod, twin: 1 }))
    assert.ok(!looksSlower(without, withIt))
  })

  it('is false for a pod that answers faster', () => {
    const [fast, slow] = [0.3, 0.9].map(pod => Array.from({ length: 6 }, () => ({ pod, twin: 0.5 })))
    assert.ok(!looksSlower(slow!, fast!))
  })

  it('is true when each request takes 0.3 ms longer, as through a proxy', () => {
    const found = share(roll => looksSlower(rounds(roll, 1), rounds(roll, 1, 0.3)))
    assert.ok(found > 0.95, `${found}`)
  })
})

describe('claimsOf()', () => {
  const round = (pod: number) => ({ pod: [call('/a', pod)], twin: [call('/b', 1)] })
  const fast = {
    without: Array.from({ length: 6 }, () => round(1)),
    withIt: Array.from({ length: 6 }, () => round(1)),
  }
  const slow = { ...fast, withIt: Array.from({ length: 6 }, () => round(3)) }
  const result = {
    sets: [fast],
    all: [call('/a')],
    lost: [],
    copies: 6,
    region: 'Aachen',
    left: undefined,
    seconds: 1,
  }
  const broken = (changed: Partial<Result>) =>
    claimsOf({ ...result, ...changed })
      .filter(({ holds }) => !holds)
      .map(({ text }) => text)

  it('all hold when all is well, or when the pod looked slower once and not again', () => {
    assert.deepEqual(broken({}), [])
    assert.deepEqual(broken({ sets: [slow, fast] }), [])
  })

  it('fail one by one: slower twice, a wrong answer, a lost copy, another environment, something left', () => {
    const cases: [Partial<Result>, RegExp][] = [
      [{ sets: [slow, slow] }, /more slowly with standin/],
      [{ all: [{ ...call('/a'), wrong: 'no answer within 15 s' }] }, /1 requests, 1 wrong or lost/],
      [{ lost: [call('/a')] }, /got 5 of the 6 requests/],
      [{ sets: [{ ...fast, withIt: [] }] }, /got 0 of the 0 requests/],
      [{ region: 'nowhere' }, /SHOP_REGION=nowhere/],
      [{ left: 'processes remained' }, /^left behind: processes remained$/],
    ]
    for (const [changed, text] of cases) {
      const found = broken(changed)
      assert.equal(found.length, 1, String(found))
      assert.match(found[0]!, text)
    }
  })
})

describe('arrivalPrinter()', () => {
  const town = { nameOf: (address: string) => (address === '10.77.0.11' ? 'anna' : 'a stranger') }

  it('prints each of the first 12 requests as it arrives, with its caller, and counts the others at the end', () => {
    const printed: string[] = []
    const printer = arrivalPrinter(town, { silent: false, print: text => printed.push(text) })
    for (let number = 1; number <= 20; number++) {
      printer.arrived(arrival(`/anna/${number}`))
      if (number <= 12)
        assert.match(printed.at(-1)!, new RegExp(`GET /anna/${number} +from 10.77.0.11:4000 +\\(anna\\)$`))
    }
    const before = printed.length
    printer.close()
    assert.deepEqual(printed.slice(before), ['  ... and 8 more\n'])
    assert.equal(printed.filter(line => line.includes('GET')).length, 12)
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

describe('lackingRights()', () => {
  it('names those that the effective set does not have', () => {
    assert.deepEqual(lackingRights('CapPrm:\t0\nCapEff:\t000001ffffffffff\n'), [])
    assert.deepEqual(lackingRights('CapEff:\t00000000a80425fb\n'), ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'])
  })
})

describe('sentenceOf()', () => {
  it('is one sentence of a failure and its fix', () => {
    assert.equal(
      sentenceOf(
        'Cannot hook processes on this machine: pidfd_getfd is forbidden',
        'Start it with "--cap-add SYS_PTRACE"',
      ),
      'The demo cannot hook processes on this machine: pidfd_getfd is forbidden; start it with "--cap-add SYS_PTRACE".',
    )
  })
})

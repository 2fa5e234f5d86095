// When losses of the capture are told, and how often.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { watchLosses } from '../../agent/loss-watch.ts'
import type { AgentEvent } from '../../protocol/agent/control.ts'

describe('watchLosses()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  })
  afterEach(() => clock.restore())

  it('tells the counters when a loss has grown, at most once a second, and not when only the traffic has', async () => {
    const counters = { packets: 0, bytes: 0, connections: 0, ringDrops: 0, gaps: 0, slow: 0, unopened: 0 }
    const told: AgentEvent[] = []
    const timer = watchLosses({
      counters: async () => ({ ...counters }),
      tell: event => void told.push(event),
    })
    counters.packets = 1_000
    await clock.tickAsync(3_000)
    assert.deepEqual(told, [])
    for (const name of ['ringDrops', 'gaps', 'slow', 'unopened'] as const) {
      told.length = 0
      counters[name] += 2
      counters[name] += 1
      await clock.tickAsync(5_000)
      assert.deepEqual(told, [{ event: 'counters', counters }])
    }
    clearInterval(timer)
  })
})

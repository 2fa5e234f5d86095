// When a WebSocket is pinged, in doubt, and taken for dead.
import assert from 'node:assert/strict'
import { judge, type Pulse } from '../../../../server/kubernetes/channel/liveness.ts'

const pulse = (facts: Partial<Pulse>): Pulse => ({
  nowMs: 0,
  heardAtMs: 0,
  pingAtMs: undefined,
  awaiting: false,
  paused: false,
  behindData: false,
  assured: false,
  ...facts,
})

describe('judge()', () => {
  it('pings 10 s after the last ping was answered or anything was heard', () => {
    assert.equal(judge(pulse({ nowMs: 9_999 })), 'wait')
    assert.equal(judge(pulse({ nowMs: 10_000 })), 'ping')
    assert.equal(judge(pulse({ nowMs: 15_000, pingAtMs: 10_000, heardAtMs: 10_001 })), 'wait')
    assert.equal(judge(pulse({ nowMs: 20_000, pingAtMs: 10_000, heardAtMs: 19_999 })), 'ping')
  })

  it('takes a ping without an answer for death, within 25 s of the last sign of life', () => {
    const waiting = { pingAtMs: 10_000, awaiting: true }
    assert.equal(judge(pulse({ ...waiting, nowMs: 21_999 })), 'wait')
    assert.equal(judge(pulse({ ...waiting, nowMs: 22_000 })), 'dead')
  })

  it('takes data for a sign of life while the ping waits', () => {
    assert.equal(judge(pulse({ pingAtMs: 10_000, awaiting: true, heardAtMs: 15_000, nowMs: 26_000 })), 'wait')
  })

  it('is in doubt when the ping waits behind data, and again only later when somebody was assured', () => {
    const behind = { pingAtMs: 10_000, awaiting: true, behindData: true }
    assert.equal(judge(pulse({ ...behind, nowMs: 11_999 })), 'wait')
    assert.equal(judge(pulse({ ...behind, nowMs: 12_000 })), 'doubt')
    const assured = { ...behind, assured: true, heardAtMs: 12_000 }
    assert.equal(judge(pulse({ ...assured, nowMs: 23_999 })), 'wait')
    assert.equal(judge(pulse({ ...assured, nowMs: 24_000 })), 'doubt')
  })

  it('expects nothing while nobody reads', () => {
    assert.equal(judge(pulse({ paused: true, nowMs: 99_000 })), 'wait')
    assert.equal(judge(pulse({ paused: true, awaiting: true, pingAtMs: 1, nowMs: 99_000 })), 'wait')
  })
})

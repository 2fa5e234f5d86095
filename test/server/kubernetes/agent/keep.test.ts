// When a finished Job is kept for its logs, and what is said of it.
import assert from 'node:assert/strict'
import { isKept, keptText } from '../../../../server/kubernetes/agent/keep.ts'

const running = { running: {} }
const terminated = { terminated: { exitCode: 1 } }

describe('isKept()', () => {
  it('keeps what ran, whether it was stopped or crashed while it started', () => {
    for (const state of [running, terminated])
      assert.equal(isKept({ seconds: 60, state, cancelled: false }), true)
  })
  it('keeps nothing without agent.ttl', () => {
    for (const state of [running, terminated])
      assert.equal(isKept({ seconds: 0, state, cancelled: false }), false)
  })
  it('keeps nothing that never ran, and nothing that was called off', () => {
    assert.equal(isKept({ seconds: 60, state: { waiting: {} }, cancelled: false }), false)
    assert.equal(isKept({ seconds: 60, state: undefined, cancelled: false }), false)
    assert.equal(isKept({ seconds: 60, state: running, cancelled: true }), false)
  })
})

describe('keptText()', () => {
  it('says for how long, and how to read the log', () => {
    assert.equal(
      keptText({ namespace: 'shop', name: 'standin-agent-x' }, 90),
      'Job standin-agent-x is kept for 90 s after its end (agent.ttl): "kubectl logs -n shop job/standin-agent-x" shows its log',
    )
  })
})

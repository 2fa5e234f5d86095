// What clean says that it found.
import assert from 'node:assert/strict'
import { conclusion, leftoverTable } from '../../../clients/cli/clean.ts'

const leftover = {
  kind: 'Job',
  namespace: 'shop',
  name: 'standin-agent-1',
  createdAt: '2026-01-01T00:00:00.000Z',
  reason: 'its agent ended 3 h ago',
} as const

describe('leftoverTable()', () => {
  it('names each object, what became of it, and why', () => {
    const rows = leftoverTable([
      { ...leftover, action: 'removed' },
      { ...leftover, action: 'failed', failure: '403' },
    ])
    const [namespace, name, at] = ['shop', 'job/standin-agent-1', '2026-01-01T00:00:00.000Z']
    assert.deepEqual(rows, [
      ['ACTION', 'NAMESPACE', 'OBJECT', 'CREATED', 'WHY'],
      ['removed', namespace, name, at, 'its agent ended 3 h ago'],
      ['not removed', namespace, name, at, '403 (its agent ended 3 h ago)'],
    ])
  })
})

describe('conclusion()', () => {
  it('counts what became of them, in words', () => {
    const found = (['kept', 'removed', 'removed'] as const).map(action => ({ ...leftover, action }))
    assert.equal(conclusion(found), '2 removed, 1 kept')
    assert.equal(conclusion([{ ...leftover, action: 'wouldRemove' }]), '1 would be removed')
    assert.equal(conclusion([]), 'nothing is left behind')
  })
})

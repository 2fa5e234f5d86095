// Which failures of attaching again end the session.
import assert from 'node:assert/strict'
import { Failure } from '../../../protocol/errors.ts'
import { endingOf } from '../../../server/sessions/reattach.ts'

describe('endingOf()', () => {
  it('tells a process that ended from a target and from a namespace that exist no more', () => {
    const gone = new Failure('target-gone', { target: 'deployment/shop' })
    const nowhere = new Failure('namespace-not-found', { namespace: 'staging' })
    assert.deepEqual([new Failure('target-ended', { target: 'pod/shop' }), gone, nowhere].map(endingOf), [
      { state: 'stopped', reason: "the target's process ended" },
      { state: 'stopped', reason: 'deployment/shop no longer exists' },
      { state: 'stopped', reason: 'namespace "staging" no longer exists' },
    ])
  })
  it('calls all else a failure, in its own words', () => {
    const silent = new Failure('cluster-silent', { server: 'https://c', seconds: 30 })
    assert.deepEqual(endingOf(silent), { state: 'failed', reason: silent.message })
  })
})

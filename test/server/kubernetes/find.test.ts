// When a target in a cluster is gone for good, and when it is waited for.
import assert from 'node:assert/strict'
import type { V1Pod } from '@kubernetes/client-node'
import { Failure } from '../../../protocol/errors.ts'
import { absence, isOver, unhidden } from '../../../server/kubernetes/find.ts'
import type { Chosen } from '../../../server/kubernetes/targets/choose.ts'

type Kind = Chosen['target']['kind']

function chosen(target: string, kind: Kind, more: { byLabels?: boolean; owner?: string } = {}): Chosen {
  const { byLabels = false, owner } = more
  const name = target.replace(/^.*?\//, '')
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: owner ?? '', name: 'db', uid: 'o', controller: true },
  ]
  return {
    target: { target, kind, name, ready: true, ports: [] },
    byLabels,
    namespace: 'shop',
    pod: { metadata: { name: 'web-1', uid: 'u', ...(owner === undefined ? {} : { ownerReferences }) } },
    container: { name: 'app', id: 'c1' },
    notices: [],
  }
}
const inPhase = (phase: string): V1Pod => ({ status: { phase } })

describe('isOver()', () => {
  it('says so of a named pod that has ended, and of a Job whose work is done', () => {
    assert.equal(isOver(inPhase('Failed'), chosen('pod/web-1', 'pod')), true)
    assert.equal(isOver(inPhase('Succeeded'), chosen('job/report', 'job')), true)
  })
  it('does not for a deployment, nor for labels, which other pods carry', () => {
    assert.equal(isOver(inPhase('Failed'), chosen('deployment/web', 'deployment')), false)
    assert.equal(isOver(inPhase('Failed'), chosen('label/app=web', 'pod', { byLabels: true })), false)
  })
})

describe('absence()', () => {
  const cause = new Failure('target-not-found', { target: 'x', reason: 'there is none' })

  it('is for good when the object that was named does not exist', () => {
    const failure = absence(chosen('deployment/web', 'deployment'), cause)
    assert.equal(failure.message, 'Cannot attach to target "deployment/web": it no longer exists')
    assert.equal(failure.data.retryable, false)
    assert.equal(absence(chosen('pod/web-1', 'pod'), cause).kind, 'target-gone')
  })
  it('may pass for labels that no pod has at the moment', () => {
    const failure = absence(chosen('label/app=web', 'pod', { byLabels: true }), cause)
    assert.equal(failure.kind, 'pod-not-ready')
    assert.equal(failure.data.retryable, true)
    assert.match(failure.data.fix, /"kubectl describe pods -l app=web -n shop"/)
  })
  it('may pass for a pod that a StatefulSet makes again', () => {
    assert.equal(absence(chosen('pod/db-0', 'pod', { owner: 'StatefulSet' }), cause).kind, 'pod-not-ready')
    assert.equal(absence(chosen('pod/web-1', 'pod', { owner: 'ReplicaSet' }), cause).kind, 'target-gone')
  })
})

describe('unhidden()', () => {
  const ended = new Failure('pod-ended', { pod: 'web-1', what: 'restarted its container "app"' })
  const hides = new Failure(
    'pod-unsupported',
    { pod: 'web-1', reason: 'hides', fix: 'Wait' },
    { cause: ended },
  )

  it('gives what the failure is where an agent has seen such processes before', () => {
    assert.equal(unhidden(hides), ended)
    assert.equal(ended.data.retryable, true)
  })
  it('leaves every other failure alone', () => {
    const windows = new Failure('pod-unsupported', { pod: 'web-1', reason: 'Windows', fix: 'Wait' })
    assert.equal(unhidden(windows), windows)
    assert.equal(unhidden(ended), ended)
  })
})

// What "standin clean" removes, and what it leaves alone, judged by leases and the cluster's time.
import assert from 'node:assert/strict'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import { ago, judgeJob, judgePod } from '../../../server/kubernetes/clean-judge.ts'

const nowMs = Date.parse('2026-01-01T12:00:00Z')
const past = (seconds: number) => new Date(nowMs - seconds * 1_000)

function job(options: {
  age?: number
  lease?: number
  ended?: number
  ttl?: number
  deleted?: number
}): V1Job {
  const { age = 60, lease = 600, ended, ttl = 0, deleted } = options
  const condition = { type: 'Failed', status: 'True', lastTransitionTime: past(ended ?? 0) }
  return {
    metadata: {
      creationTimestamp: past(age),
      ...(deleted === undefined
        ? {}
        : { deletionTimestamp: past(deleted), finalizers: ['foregroundDeletion'] }),
    },
    spec: { activeDeadlineSeconds: lease, ttlSecondsAfterFinished: ttl, template: {} },
    status: { startTime: past(age), ...(ended === undefined ? {} : { conditions: [condition] }) },
  }
}

describe('judgeJob()', () => {
  it('keeps one whose lease runs', () => {
    assert.deepEqual(judgeJob(job({ age: 500 }), nowMs), {
      verdict: 'keep',
      reason: 'a session uses it, or it ends when its lease runs out, 100 s from now',
    })
    assert.equal(judgeJob(job({ age: 86_400, lease: 86_600 }), nowMs).verdict, 'keep')
  })
  it('removes one whose lease ran out long ago, and one that ended and stayed', () => {
    assert.equal(judgeJob(job({ age: 4_200 }), nowMs).verdict, 'remove')
    assert.match(judgeJob(job({ age: 4_200 }), nowMs).reason, /^its lease ran out 60 min ago/)
    assert.equal(
      judgeJob(job({ ended: 10_800 }), nowMs).reason,
      'its agent ended 3 h ago, and the cluster did not remove it',
    )
  })
  it('gives the cluster the time that it may take', () => {
    assert.equal(judgeJob(job({ age: 610 }), nowMs).verdict, 'keep')
    assert.equal(judgeJob(job({ ended: 30 }), nowMs).verdict, 'keep')
    assert.equal(judgeJob(job({ ended: 300, ttl: 600 }), nowMs).verdict, 'keep')
  })
  it('says of one that is being deleted what it waits for', () => {
    assert.match(
      judgeJob(job({ deleted: 300 }), nowMs).reason,
      /since 5 min, and waits for foregroundDeletion$/,
    )
  })
  it('keeps everything when the cluster does not tell its time', () => {
    assert.equal(judgeJob(job({ age: 1e9 }), undefined).verdict, 'keep')
  })
})

describe('judgePod()', () => {
  const pod = (age: number, deleted?: number): V1Pod => ({
    metadata: {
      creationTimestamp: past(age),
      ownerReferences: [{ kind: 'Job', uid: 'j', apiVersion: 'batch/v1', name: 'x' }],
      ...(deleted === undefined ? {} : { deletionTimestamp: past(deleted) }),
    },
  })
  it('leaves a pod to its Job', () => {
    assert.equal(judgePod(pod(1e6), new Set(['j']), nowMs), undefined)
  })
  it('removes one without its Job, but none that is just made', () => {
    assert.equal(judgePod(pod(300), new Set(), nowMs)?.verdict, 'remove')
    assert.equal(judgePod(pod(10), new Set(), nowMs)?.verdict, 'keep')
  })
  it('removes one that its node does not end', () => {
    assert.equal(judgePod(pod(900, 600), new Set(), nowMs)?.verdict, 'remove')
    assert.equal(judgePod(pod(900, 5), new Set(), nowMs)?.verdict, 'keep')
  })
})

describe('ago()', () => {
  it('takes the largest unit that says enough', () => {
    assert.deepEqual([5, 200, 8_000, 200_000].map(ago), ['5 s', '3 min', '2 h', '2 d'])
  })
})

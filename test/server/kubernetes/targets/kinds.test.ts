// Names of the kinds of targets, and where the API has them.
import assert from 'node:assert/strict'
import {
  kindTable,
  pathOf,
  resourceOf,
  rowNamed,
  rowOf,
} from '../../../../server/kubernetes/targets/kinds.ts'

describe('rowNamed()', () => {
  it('knows the kind, the plural, the short name and the group, in any case', () => {
    for (const word of [
      'deployment',
      'deployments',
      'deploy',
      'Deployment',
      'deployment.apps',
      'deployments.v1.apps',
    ])
      assert.equal(rowNamed(word)?.kind, 'deployment', word)
    for (const [word, kind] of Object.entries({
      ...{
        sts: 'statefulset',
        ds: 'daemonset',
        rs: 'replicaset',
        cj: 'cronjob',
        po: 'pod',
        svc: 'service',
        ro: 'rollout',
      },
      ...{ job: 'job', 'job.batch': 'job', 'rollout.argoproj.io': 'rollout', 'pod.v1': 'pod' },
    }))
      assert.equal(rowNamed(word)?.kind, kind, word)
  })
  it('knows no kind of another group or version, and no other word', () => {
    for (const word of [
      'deployment.extensions',
      'pod.apps',
      'deployment.v2.apps',
      'deployment.',
      'secret',
      'd',
      '',
    ])
      assert.equal(rowNamed(word)?.kind, word === 'deployment.' ? 'deployment' : undefined, word)
  })
  it('has no word that means two kinds', () => {
    const words = kindTable.flatMap(({ kind, resource, short }) => [kind, resource, ...short])
    assert.equal(new Set(words).size, words.length)
  })
})

describe('resourceOf() and pathOf()', () => {
  it('write a kind as RBAC and the API server do', () => {
    assert.equal(resourceOf(rowOf('pod')), 'pods')
    assert.equal(resourceOf(rowOf('rollout')), 'rollouts.argoproj.io')
    assert.equal(pathOf(rowOf('pod')), '/api/v1/pods')
    assert.equal(pathOf(rowOf('service'), 'shop', 'web'), '/api/v1/namespaces/shop/services/web')
    assert.equal(pathOf(rowOf('cronjob'), 'shop'), '/apis/batch/v1/namespaces/shop/cronjobs')
    assert.equal(pathOf(rowOf('rollout')), '/apis/argoproj.io/v1alpha1/rollouts')
  })
  it('let no name out of its place in the path', () => {
    assert.equal(pathOf(rowOf('pod'), 'shop', '../../secrets').includes('/secrets'), false)
  })
})

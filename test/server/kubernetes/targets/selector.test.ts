// How selectors of labels are written and matched.
import assert from 'node:assert/strict'
import { hasLabels, podSelector, selectorText } from '../../../../server/kubernetes/targets/selector.ts'

describe('selectorText()', () => {
  it('writes equalities and all four operators as the API server takes them', () => {
    const matchExpressions = [
      { key: 'tier', operator: 'In', values: ['web', 'edge'] },
      { key: 'env', operator: 'NotIn', values: ['test'] },
      { key: 'team', operator: 'Exists' },
      { key: 'old', operator: 'DoesNotExist' },
    ]
    assert.equal(
      selectorText({ matchLabels: { app: 'shop', 'example.com/a': '' }, matchExpressions }),
      'app=shop,example.com/a=,tier in (web,edge),env notin (test),team,!old',
    )
  })
  it('writes nothing for a selector that is empty', () => {
    assert.equal(selectorText({}), '')
  })
})

describe('podSelector()', () => {
  it('takes the plain labels of a service and the selector of all others', () => {
    assert.equal(podSelector('service', { spec: { selector: { app: 'shop' } } }), 'app=shop')
    assert.equal(
      podSelector('deployment', { spec: { selector: { matchLabels: { app: 'shop' } } } }),
      'app=shop',
    )
  })
  it('selects nothing for a service without a selector or with another name', () => {
    assert.equal(podSelector('service', { spec: {} }), undefined)
    assert.equal(podSelector('service', { spec: { selector: {} } }), undefined)
    const external = { type: 'ExternalName', selector: { app: 'shop' } }
    assert.equal(podSelector('service', { spec: external }), undefined)
  })
  it('never selects every pod, as an empty text would', () => {
    assert.equal(podSelector('deployment', { spec: { selector: { matchLabels: {} } } }), undefined)
    assert.equal(podSelector('deployment', {}), undefined)
  })
  it('takes the selector of a rollout that follows a deployment from its status', () => {
    const workloadRef = { kind: 'Deployment', name: 'shop' }
    assert.equal(
      podSelector('rollout', { spec: { workloadRef }, status: { selector: 'app=shop' } }),
      'app=shop',
    )
  })
})

describe('hasLabels()', () => {
  it('wants each label with its value, and more do no harm', () => {
    assert.equal(hasLabels({ app: 'shop', tier: 'web' }, { app: 'shop' }), true)
    assert.equal(hasLabels({ app: 'shop' }, { app: 'shop', tier: 'web' }), false)
    assert.equal(hasLabels({ app: 'till' }, { app: 'shop' }), false)
  })
})

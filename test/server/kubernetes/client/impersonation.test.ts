// The headers of a user who acts as another.
import assert from 'node:assert/strict'
import { impersonationOf } from '../../../../server/kubernetes/client/impersonation.ts'

describe('impersonation', () => {
  it('becomes the headers that the API server reads, keys escaped', () => {
    const user = {
      file: '/config',
      as: 'bob',
      'as-uid': '42',
      'as-groups': ['dev', 'ops'],
      'as-user-extra': { 'acme.com/project': ['shop'], scopes: ['view', 'edit'] },
    }
    assert.deepEqual(impersonationOf(user), {
      'Impersonate-User': 'bob',
      'Impersonate-Uid': '42',
      'Impersonate-Group': ['dev', 'ops'],
      'Impersonate-Extra-acme.com%2Fproject': ['shop'],
      'Impersonate-Extra-scopes': ['view', 'edit'],
    })
  })

  it('is nothing when nobody is named', () => {
    assert.deepEqual(impersonationOf({ file: '/config', as: '' }), {})
  })
})

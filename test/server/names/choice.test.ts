// Which names are this machine's: by the name itself, its domains, and what the pod's search list made of it.
import assert from 'node:assert/strict'
import { nameChoice } from '../../../server/names/choice.ts'

const search = ['shop.svc.cluster.local', 'svc.cluster.local']

describe('nameChoice()', () => {
  it('is none without a filter: all names are the pod’s', () =>
    assert.equal(nameChoice(undefined), undefined))

  for (const [name, isHere] of [
    ['db', true],
    ['DB.', true],
    ['db.shop.svc.cluster.local', true],
    ['a.db', true],
    ['a.db.svc.cluster.local', true],
    ['mydb', false],
    ['db.example.test', false],
    ['web', false],
  ] as const) {
    it(`"${name}" is ${isHere ? '' : 'not '}this machine's when "db" stays local`, () =>
      assert.equal(nameChoice({ local: 'db' })!(name, search), isHere))
    it(`and ${isHere ? '' : 'not '}the pod's when only "db" is remote`, () =>
      assert.equal(nameChoice({ remote: ['db'] })!(name, search), !isHere))
  }
})

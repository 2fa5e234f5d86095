// Which names are this machine's: by the name itself, its domains, and what the pod's search list made of it.
import assert from 'node:assert/strict'
import { nameChoice } from '../../../server/names/choice.ts'

const search = ['shop.svc.cluster.local', 'svc.cluster.local']

describe('nameChoice()', () => {
  it('gives all names to the pod without a filter', () =>
    assert.deepEqual(nameChoice(undefined)('db', search), { where: 'pod', rule: 'no filter keeps it here' }))

  it('says which entry decided, as it was written, or that none did', () => {
    const key = 'feature.network.dns.filter'
    assert.deepEqual(nameChoice({ local: ['corp', 'Db.'] })('a.db', search), {
      ...{ where: 'here', rule: `entry "Db." of ${key}.local` },
    })
    assert.deepEqual(nameChoice({ local: ['corp'] })('a.db', search), {
      ...{ where: 'pod', rule: `no entry of ${key}.local matches` },
    })
    assert.deepEqual(nameChoice({ remote: 'db' })('db', search), {
      ...{ where: 'pod', rule: `entry "db" of ${key}.remote` },
    })
    assert.deepEqual(nameChoice({ remote: 'db' })('web', search), {
      ...{ where: 'here', rule: `no entry of ${key}.remote matches` },
    })
  })

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
      assert.equal(nameChoice({ local: 'db' })(name, search).where, isHere ? 'here' : 'pod'))
    it(`and ${isHere ? '' : 'not '}the pod's when only "db" is remote`, () =>
      assert.equal(nameChoice({ remote: ['db'] })(name, search).where, isHere ? 'pod' : 'here'))
  }
})

// Which looked-up names a filter is about, and what supervisors are told of them.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Learned, learnedLimit } from '../../../protocol/outgoing/filter.ts'
import { LearnedNames } from '../../../server/outgoing/learned-names.ts'

function stage(...entries: string[]) {
  const told: Learned[] = []
  const filter = { side: 'remote' as const, entries, learned: [] }
  const names = new LearnedNames(filter, async (_, learned) => void told.push(learned))
  const rules = () => names.into({ tcp: true, ignoreLocalhost: false }).filter?.learned
  return { names, told, rules }
}

describe('LearnedNames', () => {
  it('tells of a name that an entry is, or whose domain one is, in any case and with its last dot', async () => {
    const { names, told } = stage('10.0.0.1', 'db.shop:5432', 'shop')
    await names.learned('DB.Shop.', ['10.0.0.7'])
    await names.learned('web.shop', ['10.0.0.8'])
    await names.learned('primary.db.shop', ['10.0.0.9'])
    assert.deepEqual(
      told.map(({ name, entries }) => [name, entries]),
      [
        ['db.shop', [1, 2]],
        ['web.shop', [2]],
        ['primary.db.shop', [1, 2]],
      ],
    )
  })

  it('tells of no other name, and of no name without an address', async () => {
    const { names, told } = stage('shop', 'tcp://:80', '10.0.0.1')
    for (const name of ['workshop', 'shop.example', 'sho', 'p', '']) await names.learned(name, ['10.0.0.7'])
    await names.learned('shop', [])
    assert.deepEqual(told, [])
  })

  it("finds a name that the resolver completed by the pod's search list", async () => {
    const { names, told } = stage('db', 'web.shop')
    const asked = ['db.shop.svc.cluster.local', 'web.shop.svc.cluster.local', 'db.other.example']
    for (const name of asked) await names.learned(name, ['10.0.0.7'])
    assert.deepEqual(told, [])
    names.setSearch(['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'])
    for (const name of asked) await names.learned(name, ['10.0.0.7'])
    assert.deepEqual(
      told.map(({ entries }) => entries),
      [[0], [1]],
    )
    assert.deepEqual(names.addressesOf('db'), ['10.0.0.7'])
  })

  it('gives the rules of later processes all that was learned, with addresses in one spelling', async () => {
    const { names, rules } = stage('db')
    await names.learned('db', ['10.0.0.1', 'FD00:0::1', '::ffff:10.0.0.2'])
    await names.learned('db', ['10.0.0.3', '10.0.0.1'])
    assert.deepEqual(rules(), [
      { name: 'db', entries: [0], addresses: ['fd00::1', '10.0.0.2', '10.0.0.3', '10.0.0.1'] },
    ])
  })

  it('keeps a bound, and forgets the names that were not looked up for longest', async () => {
    const { names, rules } = stage('db')
    await names.learned('old.db', ['192.0.2.1'])
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 100, maxLength: 100 })
    for (const [number, size] of fc.sample(sizes, 2).flat().entries())
      await names.learned(
        `n${number}.db`,
        Array.from({ length: size }, (_, index) => `10.${number}.${index}.1`),
      )
    const known = rules()!
    assert.ok(known.reduce((sum, { addresses }) => sum + addresses.length, 0) <= learnedLimit)
    assert.ok(known.some(({ name }) => name === 'n199.db'))
    assert.ok(known.length > 60)
    await names.learned(
      'huge.db',
      Array.from({ length: 5_000 }, (_, index) => `10.${index >> 8}.${index & 255}.1`),
    )
    assert.deepEqual(
      rules()!.map(({ name, addresses }) => [name, addresses.length]),
      [['huge.db', learnedLimit]],
    )
  })

  it('knows names and addresses for whoever asks, without a filter too, and the last that was said', async () => {
    const names = new LearnedNames(undefined, () => Promise.reject(new Error('nobody is to be told')))
    await names.learned('a.example', ['10.0.0.1'])
    await names.learned('b.example', ['10.0.0.1'])
    await names.learned('a.example', ['10.0.0.2'])
    assert.deepEqual([names.nameOf('10.0.0.1'), names.nameOf('10.0.0.2')], ['b.example', 'a.example'])
    assert.deepEqual([names.addressesOf('A.example.'), names.addressesOf('c')], [['10.0.0.2'], undefined])
  })

  it('resolves when the supervisors obey, and rejects with them', async () => {
    let obey = () => {}
    const filter = { side: 'remote' as const, entries: ['db', 'no'], learned: [] }
    const names = new LearnedNames(filter, (_, { name }) =>
      name === 'no' ? Promise.reject(new Error('late')) : new Promise(resolve => (obey = resolve)),
    )
    let isDone = false
    const done = names.learned('db', ['10.0.0.1']).then(() => (isDone = true))
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(isDone, false)
    obey()
    await done
    await assert.rejects(names.learned('no', ['10.0.0.1']), /late/)
  })
})

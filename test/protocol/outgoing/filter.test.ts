// Which entry of an outgoing filter a connection matches: by address, range, port and protocol, and by the names that resolved to an address.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { normalAddress } from '../../../protocol/address.ts'
import { learnedLimit, OutgoingFilter } from '../../../protocol/outgoing/filter.ts'
import { isWithin, rangeOf, valueOfAddress } from '../../../protocol/outgoing/range.ts'

const filterOf = (...entries: string[]) => new OutgoingFilter({ side: 'remote', entries, learned: [] })
const matched = (filter: OutgoingFilter, address: string, port = 80, protocol: 'tcp' | 'udp' = 'tcp') =>
  filter.find(protocol, { address, port })?.entry.text
const six = fc.ipV6().map(normalAddress)

describe('OutgoingFilter', () => {
  it('finds an address in every range that it begins with, and in no other of that length', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), six), fc.nat(128), fc.nat(127), (address, some, flipped) => {
        const { bits, value } = valueOfAddress(address)
        const prefix = some % (bits + 1)
        const range = rangeOf(address, prefix)
        assert.ok(isWithin({ bits, value }, range))
        const place = flipped % bits
        const other = value ^ (1n << BigInt(bits - 1 - place))
        assert.equal(isWithin({ bits, value: other }, range), place >= prefix)
      }),
    )
  })

  it('finds what an address, its port and its protocol say, and nothing beside it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), six), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
        fc.pre(address !== '0.0.0.0' && address !== '::')
        const shown = address.includes(':') ? `[${address}]` : address
        const filter = filterOf(`udp://${shown}:${port}`)
        assert.ok(matched(filter, address, port, 'udp') !== undefined)
        assert.equal(matched(filter, address, port, 'tcp'), undefined)
        assert.equal(matched(filter, address, (port % 65_535) + 1, 'udp'), undefined)
        assert.equal(
          matched(filter, address === '10.0.0.1' ? '10.0.0.2' : '10.0.0.1', port, 'udp'),
          undefined,
        )
      }),
    )
  })

  it('takes a mapped IPv4 address and range for the IPv4 ones', () => {
    assert.equal(matched(filterOf('[::ffff:10.0.0.1]'), '10.0.0.1'), '[::ffff:10.0.0.1]')
    assert.equal(matched(filterOf('[::ffff:10.0.0.0]/104'), '10.9.9.9'), '[::ffff:10.0.0.0]/104')
    assert.equal(matched(filterOf('[::ffff:10.0.0.0]/104'), '11.0.0.1'), undefined)
    assert.equal(matched(filterOf('[::]/0'), '10.0.0.1'), undefined)
    assert.equal(matched(filterOf('0.0.0.0/0'), '2001:db8::1'), undefined)
  })

  it('takes 0.0.0.0 and [::] for any address of both families', () => {
    for (const entry of ['0.0.0.0:80', '[::]:80', ':80'])
      for (const address of ['10.0.0.1', '2001:db8::1']) {
        assert.equal(matched(filterOf(entry), address, 80), entry)
        assert.equal(matched(filterOf(entry), address, 81), undefined)
      }
  })

  it('tells the first entry that matches', () => {
    const filter = filterOf('10.0.0.0/8:443', '10.0.0.0/8', '10.0.0.1')
    assert.deepEqual(
      [matched(filter, '10.0.0.1', 443), matched(filter, '10.0.0.1', 80)],
      ['10.0.0.0/8:443', '10.0.0.0/8'],
    )
  })

  it('finds a name by the addresses that it resolved to, at its port, and says which name it was', () => {
    const filter = filterOf('10.0.0.9', 'db.shop:5432')
    assert.equal(matched(filter, '10.0.0.1', 5432), undefined)
    filter.learn({ name: 'primary.db.shop', entries: [1], addresses: ['10.0.0.1', 'fd00::1'] })
    assert.equal(matched(filter, 'fd00::1', 5432), 'db.shop:5432')
    assert.equal(matched(filter, '10.0.0.1', 5433), undefined)
    assert.equal(matched(filter, '10.0.0.2', 5432), undefined)
    assert.equal(
      filter.find('tcp', { address: '10.0.0.1', port: 5432 })?.rule,
      'entry "db.shop:5432" of feature.network.outgoing.filter.remote, where primary.db.shop is',
    )
  })

  it('knows several names of one address, and what it was made with', () => {
    const learned = [
      { name: 'a', entries: [0], addresses: ['10.0.0.1'] },
      { name: 'b', entries: [1], addresses: ['10.0.0.1'] },
    ]
    const filter = new OutgoingFilter({ side: 'local', entries: ['a:1', 'b:2'], learned })
    assert.deepEqual([matched(filter, '10.0.0.1', 1), matched(filter, '10.0.0.1', 2)], ['a:1', 'b:2'])
  })

  it('forgets the addresses that it has not heard of for longest, beyond a bound', () => {
    const filter = filterOf('many.example')
    const learn = (number: number) =>
      filter.learn({ name: 'many.example', entries: [0], addresses: [`10.1.${number >> 8}.${number & 255}`] })
    learn(0)
    learn(1)
    for (let number = 2; number < learnedLimit; number++) learn(number)
    learn(0)
    learn(learnedLimit)
    assert.deepEqual(
      ['10.1.0.0', '10.1.0.1', '10.1.0.2'].map(address => matched(filter, address)),
      ['many.example', undefined, 'many.example'],
    )
  })

  it('is quick: a connect asks it', () => {
    const filter = filterOf(
      ...Array.from({ length: 50 }, (_, number) => `10.${number}.0.0/16:443`),
      'db.shop',
    )
    const beganMs = performance.now()
    for (let number = 0; number < 10_000; number++) matched(filter, '192.0.2.1', 443)
    const eachUs = (performance.now() - beganMs) / 10
    assert.ok(eachUs < 100, `${eachUs} µs`)
  })
})

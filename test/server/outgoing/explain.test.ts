// What is said of a connection that nobody made: for an address, for a name that was looked up, and for one that was not.
import assert from 'node:assert/strict'
import { type Circumstances, explain } from '../../../server/outgoing/explain.ts'
import { LearnedNames } from '../../../server/outgoing/learned-names.ts'

function circumstances(...remote: string[]): Circumstances {
  const filter = { side: 'remote' as const, entries: remote, learned: [] }
  const rules = { tcp: true, udp: true, ignoreLocalhost: false, ...(remote.length === 0 ? {} : { filter }) }
  return {
    rules,
    names: new LearnedNames('filter' in rules ? filter : undefined, async () => {}),
    isPodAddress: () => false,
    hasListened: () => false,
    isWanted: port => port === 8080,
    substitutes: new Map(),
    isNameserver: ({ port }) => port === 53,
  }
}
const said = (host: string, port: number, given: Circumstances, protocol?: 'udp') =>
  explain({ host, port, ...(protocol === undefined ? {} : { protocol }) }, given)

describe('explain()', () => {
  it("says of a Unix socket whether it is the pod's, and by which pattern", () => {
    const given = circumstances()
    const rules = { ...given.rules, unix: ['^/run/'] }
    assert.deepEqual(explain({ host: '/run/a.sock' }, { ...given, rules }), {
      where: 'pod',
      rule: 'pattern "^/run/" of feature.network.outgoing.unix_streams',
      sentence:
        'A connection to the Unix socket /run/a.sock reaches that of the pod: pattern "^/run/" of feature.network.outgoing.unix_streams.',
    })
    assert.equal(
      explain({ host: '@a' }, given).sentence,
      'A connection to the Unix socket @a stays on this machine: no pattern of feature.network.outgoing.unix_streams matches.',
    )
    assert.throws(() => explain({ host: 'db' }, given), /port: it is missing/)
  })

  it('says of an address where it goes and by which entry, as one sentence', () => {
    const given = circumstances('10.0.0.0/8:80')
    assert.deepEqual(said('10.1.2.3', 80, given), {
      where: 'pod',
      rule: 'entry "10.0.0.0/8:80" of feature.network.outgoing.filter.remote',
      sentence:
        'A TCP connection to 10.1.2.3 port 80 leaves from the pod: entry "10.0.0.0/8:80" of feature.network.outgoing.filter.remote.',
    })
    assert.equal(
      said('10.1.2.3', 81, given, 'udp').sentence,
      'A UDP datagram to 10.1.2.3 port 81 stays on this machine: no entry of feature.network.outgoing.filter.remote matches.',
    )
    assert.equal(said('::ffff:10.1.2.3', 80, given).where, 'pod')
    assert.equal(said('127.0.0.1', 53, given).rule, "the pod's nameserver")
    assert.match(said('127.0.0.1', 8080, given).rule, /^the process's own port/)
    assert.equal(said('10.1.2.3', 80, circumstances()).rule, 'no filter keeps it here')
  })

  it('says of a name that nobody looked up what the entries say, and what depends on its address', () => {
    const given = circumstances('10.0.0.0/8:80', 'db.shop', ':81', '127.0.0.1')
    assert.equal(said('Primary.DB.shop.', 80, given).where, 'pod')
    assert.equal(said('other', 81, given).where, 'pod')
    assert.equal(said('other', 82, given).where, 'here')
    const depends = said('other', 80, given)
    assert.deepEqual(
      [depends.where, depends.sentence],
      [
        'depends',
        'A TCP connection to other port 80 may leave from the pod: that depends on whether its address is in "10.0.0.0/8:80" of feature.network.outgoing.filter.remote.',
      ],
    )
    assert.equal(said('other', 80, circumstances()).where, 'pod')
    const off = { ...given, rules: { tcp: false, ignoreLocalhost: false } }
    assert.equal(said('db.shop', 80, off).rule, 'outgoing traffic is not part of the session')
  })

  it('says of a name that was looked up what becomes of each address', async () => {
    const given = circumstances('10.0.0.0/8', 'db.shop')
    await given.names.learned('web.shop', ['10.0.0.1', '203.0.113.77'])
    const { where, rule, addresses } = said('web.shop', 80, given)
    assert.deepEqual([where, rule], ['depends', 'that depends on which of its addresses is taken'])
    assert.deepEqual(
      addresses!.map(one => [one.address, one.where]),
      [
        ['10.0.0.1', 'pod'],
        ['203.0.113.77', 'here'],
      ],
    )
    await given.names.learned('db.shop', ['203.0.113.77', '203.0.113.78'])
    assert.equal(
      said('db.shop', 80, given).rule,
      'entry "db.shop" of feature.network.outgoing.filter.remote, where db.shop is',
    )
    assert.equal(said('web.shop', 80, given).where, 'pod')
  })

  it('takes localhost for both addresses of loopback', () => {
    const { where, addresses } = said('localhost', 8080, circumstances())
    assert.deepEqual([where, addresses!.map(({ address }) => address)], ['here', ['127.0.0.1', '::1']])
  })

  it('refuses what is no address and no name', () => {
    for (const host of ['', '10.0.0.300', 'a b', 'db:80', '10.0.0.0/8', '*.example.com', 'tcp://db'])
      assert.throws(() => said(host, 80, circumstances()), { kind: 'params-invalid' }, host)
  })
})

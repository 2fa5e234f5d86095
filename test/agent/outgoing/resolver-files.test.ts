// The files by which names are looked up, as C libraries read them.
import assert from 'node:assert/strict'
import { addressesIn, questionsFor } from '../../../agent/outgoing/resolver-files.ts'
import { parseResolvConf } from '../../../protocol/names/resolv-conf.ts'

describe('parseResolvConf()', () => {
  it('reads what Kubernetes writes', () => {
    const text = `search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.96.0.10
options ndots:5
`
    assert.deepEqual(parseResolvConf(text), {
      nameservers: ['10.96.0.10'],
      search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      ndots: 5,
      timeoutMs: 5_000,
      attempts: 2,
    })
  })

  it('takes three nameservers, of either family, and the last of several search lists and options', () => {
    const text = `# first
; second
domain old.test
nameserver fd00::a
nameserver not-an-address
nameserver\t10.0.0.1\t
search one.test. two.test
nameserver 10.0.0.2
nameserver 10.0.0.3
options ndots:2 timeout:1 attempts:3 rotate
options ndots:3 unheard-of:7
`
    assert.deepEqual(parseResolvConf(text), {
      nameservers: ['fd00::a', '10.0.0.1', '10.0.0.2'],
      search: ['one.test', 'two.test'],
      ndots: 3,
      timeoutMs: 1_000,
      attempts: 3,
    })
  })

  it('bounds the options as glibc does, and asks this host when no nameserver is named', () => {
    const config = parseResolvConf('options ndots:99 timeout:0\noptions attempts:100\nsearch .\n')
    assert.deepEqual(config, {
      ...{ nameservers: ['127.0.0.1'], search: [], ndots: 15, timeoutMs: 1_000, attempts: 5 },
    })
    assert.equal(parseResolvConf('options timeout:600').timeoutMs, 30_000)
  })
})

describe('addressesIn()', () => {
  const hosts = `127.0.0.1\tlocalhost
::1 localhost ip6-localhost
fd00::2 db # 10.9.9.9 db
10.0.0.2 db.shop.test DB
10.0.0.3 db
10.0.0.3 db
nonsense db
# 10.0.0.4 db
`
  it('gives each address of a name once, IPv4 first, whatever the letters are', () => {
    assert.deepEqual(addressesIn(hosts, 'dB'), ['10.0.0.2', '10.0.0.3', 'fd00::2'])
    assert.deepEqual(addressesIn(hosts, 'localhost'), ['127.0.0.1', '::1'])
    assert.deepEqual(addressesIn(hosts, 'db.shop.test'), ['10.0.0.2'])
  })

  it('gives none for a part of a name', () => {
    assert.deepEqual(addressesIn(hosts, 'db.shop'), [])
    assert.deepEqual(addressesIn('', 'localhost'), [])
  })
})

describe('questionsFor()', () => {
  const config = { search: ['a.test', 'b.test'], ndots: 2 }
  const cases: [string, string[]][] = [
    ['db', ['db.a.test', 'db.b.test', 'db']],
    ['db.shop', ['db.shop.a.test', 'db.shop.b.test', 'db.shop']],
    ['db.shop.svc', ['db.shop.svc', 'db.shop.svc.a.test', 'db.shop.svc.b.test']],
    ['db.', ['db']],
  ]
  for (const [name, questions] of cases)
    it(`asks for ${questions.join(', ')} when ${name} is looked up`, () =>
      assert.deepEqual(questionsFor(name, config), questions))
})

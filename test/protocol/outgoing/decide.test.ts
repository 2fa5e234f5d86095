// Where a connection goes: to the pod, to this machine, or to the process's own listener on its substitute port.
import assert from 'node:assert/strict'
import { decideOutgoing, type OutgoingFacts } from '../../../protocol/outgoing/decide.ts'
import { type FilterSide, OutgoingFilter } from '../../../protocol/outgoing/filter.ts'

const facts: OutgoingFacts = {
  outgoingRules: { tcp: true, udp: false, ignoreLocalhost: false },
  outgoingFilter: undefined,
  isNameserver: ({ address }) => address === '10.96.0.10',
  isOwnAddress: address => address === '192.168.1.5',
  listensHere: to => to.port === 3000,
  isForMany: address => address === '224.0.0.251',
  isPodAddress: address => address === '10.1.2.3' || address === 'fd01::3',
  hasListened: port => port === 3000 || port === 3001,
  isWanted: port => port === 8080,
  substitutes: new Map([[8081, 41_000]]),
}
const decided = (address: string, port: number, more: Partial<OutgoingFacts> = {}) =>
  decideOutgoing('tcp', { address, port }, { ...facts, ...more })
const where = (address: string, port: number, more: Partial<OutgoingFacts> = {}) =>
  decided(address, port, more).where
const filtered = (side: FilterSide, ...entries: string[]) => ({
  outgoingFilter: new OutgoingFilter({ side, entries, learned: [] }),
})
const ignored = { outgoingRules: { tcp: true, ignoreLocalhost: true } }

describe('decideOutgoing()', () => {
  it('decides datagrams by rules of their own: for many they stay here, and loopback by who takes datagrams', () => {
    const udp = { outgoingRules: { tcp: false, udp: true, ignoreLocalhost: false } }
    const listensHere = (to: { port: number }, protocol: string) => protocol === 'udp' && to.port === 8125
    const sent = (address: string, port: number, more: Partial<OutgoingFacts> = {}) =>
      decideOutgoing('udp', { address, port }, { ...facts, ...udp, listensHere, ...more }).where
    assert.equal(sent('10.0.0.1', 53), 'pod')
    assert.equal(sent('224.0.0.251', 5353), 'here')
    assert.equal(sent('192.168.1.5', 53), 'here')
    assert.equal(sent('127.0.0.1', 8125), 'here')
    assert.equal(sent('127.0.0.1', 3000), 'pod')
    assert.equal(sent('127.0.0.1', 8080), 'pod')
    assert.equal(sent('127.0.0.1', 8081), 'pod')
    assert.equal(sent('10.0.0.1', 53, { outgoingRules: { tcp: true, ignoreLocalhost: false } }), 'here')
  })
  it("gives the pod what is not this machine's, IPv4 and IPv6", () => {
    for (const address of ['10.0.0.1', '192.168.1.6', '93.184.216.34', 'fd00::1', '2001:db8::1'])
      assert.equal(where(address, 443), 'pod', address)
  })
  it("leaves this machine's own addresses and those of its link alone", () => {
    for (const address of ['192.168.1.5', 'fe80::1', 'ff02::1'])
      assert.equal(where(address, 443), 'here', address)
  })
  it('leaves loopback alone where something listens, and gives the pod the rest', () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', '0.0.0.0', '::']) {
      assert.equal(where(address, 3000), 'here', address)
      assert.equal(where(address, 15_000), 'pod', address)
    }
  })
  it('never gives the pod a port that the process stands in for', () => {
    assert.equal(where('127.0.0.1', 8080), 'here')
    assert.equal(where('10.0.0.1', 8080), 'pod')
  })
  it("finds the process itself at the pod's own addresses, where it serves, and the pod's other programs elsewhere", () => {
    const own = 'the process serves that port of the pod'
    for (const [port, actual] of [
      [8080, 8080],
      [8081, 41_000],
      [3000, 3000],
    ] as const)
      assert.deepEqual(decided('10.1.2.3', port), {
        where: 'here',
        why: own,
        instead: { address: '127.0.0.1', port: actual },
      })
    assert.deepEqual(decided('fd01::3', 8080).instead, { address: '::1', port: 8080 })
    // It has listened there and does no longer; it never has.
    for (const port of [3001, 15_000]) assert.equal(where('10.1.2.3', port), 'pod', `${port}`)
    assert.equal(where('10.1.2.4', 8080), 'pod')
  })
  it("leads to the process's own listener where its port was substituted, whatever the rules", () => {
    for (const more of [{}, { outgoingRules: undefined }, filtered('remote', '127.0.0.1:8081')])
      assert.deepEqual(decided('127.0.0.1', 8081, more), {
        where: 'here',
        why: 'the process listens there',
        instead: { address: '127.0.0.1', port: 41_000 },
      })
  })
  it('leaves everything alone when outgoing traffic is off, and loopback when that is ignored', () => {
    const off = { outgoingRules: { tcp: false, udp: true, ignoreLocalhost: false } }
    for (const more of [off, { outgoingRules: undefined }, { ...off, ...filtered('remote', '10.0.0.1') }])
      assert.equal(where('10.0.0.1', 443, more), 'here')
    assert.equal(where('127.0.0.1', 15_000, ignored), 'here')
    assert.equal(where('10.0.0.1', 443, ignored), 'pod')
  })
  it('asks for each protocol by itself', () => {
    const to = { address: '10.0.0.1', port: 53 }
    assert.equal(decideOutgoing('udp', to, facts).where, 'here')
    const udp = { ...facts, outgoingRules: { tcp: false, udp: true, ignoreLocalhost: false } }
    assert.equal(decideOutgoing('udp', to, udp).where, 'pod')
    assert.equal(decideOutgoing('udp', to, { ...udp, ...filtered('remote', 'tcp://10.0.0.1') }).where, 'here')
  })

  it("leaves the process's own port here, and says whether anything listens there", () => {
    const why = (isListening: boolean) => decided('127.0.0.1', 8080, { listensHere: () => isListening }).why
    assert.equal(why(true), "the process's own port")
    assert.equal(why(false), "the process's own port, and nothing listens there yet")
  })

  it('gives the pod its nameserver, whatever the rules', () => {
    for (const more of [{}, { outgoingRules: undefined }, filtered('remote', '10.0.0.1')])
      assert.deepEqual(decided('10.96.0.10', 53, more), { where: 'pod', why: "the pod's nameserver" })
  })

  describe('with a filter', () => {
    it('gives the pod what matches "remote", and leaves the rest here, and says by which entry', () => {
      const remote = filtered('remote', '10.0.0.0/8', ':5432')
      assert.deepEqual(decided('10.1.2.3', 80, remote), {
        where: 'pod',
        why: 'entry "10.0.0.0/8" of feature.network.outgoing.filter.remote',
      })
      assert.equal(where('93.184.216.34', 5432, remote), 'pod')
      assert.deepEqual(decided('93.184.216.34', 80, remote), {
        where: 'here',
        why: 'no entry of feature.network.outgoing.filter.remote matches',
      })
    })
    it('does the reverse with "local"', () => {
      const local = filtered('local', '10.0.0.0/8')
      assert.deepEqual(decided('10.1.2.3', 80, local), {
        where: 'here',
        why: 'entry "10.0.0.0/8" of feature.network.outgoing.filter.local',
      })
      assert.deepEqual(decided('93.184.216.34', 80, local), {
        where: 'pod',
        why: 'no entry of feature.network.outgoing.filter.local matches',
      })
    })
    it("has no say over this machine's own addresses and its link", () => {
      for (const address of ['192.168.1.5', 'fe80::1'])
        assert.equal(where(address, 80, filtered('remote', '192.168.1.5', ':80')), 'here')
    })
    it('has no say over loopback by entries that do not name it', () => {
      for (const entry of [':3000', '0.0.0.0', '0.0.0.0/0', 'tcp://']) {
        assert.equal(where('127.0.0.1', 3000, filtered('remote', entry)), 'here', entry)
        assert.equal(where('127.0.0.1', 15_000, filtered('local', entry)), 'pod', entry)
      }
      assert.equal(where('127.0.0.1', 15_000, filtered('remote', '10.0.0.1')), 'pod')
    })
    it('decides for the loopback port that an entry names, whatever listens there or is ignored', () => {
      for (const entry of ['127.0.0.1:3000', 'localhost:3000', 'tcp://127.0.0.0/8:3000']) {
        assert.equal(where('127.0.0.1', 3000, filtered('remote', entry)), 'pod', entry)
        assert.equal(where('127.0.0.1', 3000, { ...ignored, ...filtered('remote', entry) }), 'pod', entry)
        assert.equal(where('127.0.0.1', 3001, { ...ignored, ...filtered('remote', entry) }), 'here', entry)
      }
      assert.equal(where('::1', 3000, filtered('remote', '[::1]:3000')), 'pod')
      assert.equal(where('127.0.0.1', 3000, filtered('remote', '[::1]:3000')), 'here')
      assert.equal(where('127.0.0.1', 15_000, filtered('local', 'localhost:15000')), 'here')
      assert.equal(where('0.0.0.0', 3000, filtered('remote', '127.0.0.1:3000')), 'pod')
      assert.equal(where('127.0.0.1', 8080, filtered('remote', 'localhost:8080')), 'pod')
    })
    it("decides for all of loopback but the process's own ports by an entry without a port", () => {
      assert.equal(where('127.0.0.1', 3000, filtered('remote', 'localhost')), 'pod')
      assert.equal(where('127.0.0.1', 8080, filtered('remote', 'localhost')), 'here')
      assert.equal(where('127.0.0.1', 15_000, filtered('local', '127.0.0.1')), 'here')
    })
  })
})

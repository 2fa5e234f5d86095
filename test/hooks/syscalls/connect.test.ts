// Where a connection goes: to the pod, to this machine, or to the process's own listener on its substitute port.
import assert from 'node:assert/strict'
import type { ConnectFacts } from '../../../hooks/syscalls/connect.ts'
import { decideConnect } from '../../../hooks/syscalls/connect.ts'

const facts: ConnectFacts = {
  outgoingRules: { tcp: true, ignoreLocalhost: false, quiet: { four: 1, six: 2 } },
  isOwnAddress: address => address === '192.168.1.5',
  listensHere: to => to.port === 3000,
  isWanted: port => port === 8080,
  substitutes: new Map([[8081, 41_000]]),
}
const where = (address: string, port: number, more: Partial<ConnectFacts> = {}) =>
  decideConnect({ address, port }, { ...facts, ...more }).where

describe('decideConnect()', () => {
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
  it("leads to the process's own listener where its port was substituted, whatever the rules", () => {
    for (const more of [{}, { outgoingRules: undefined }])
      assert.deepEqual(decideConnect({ address: '127.0.0.1', port: 8081 }, { ...facts, ...more }), {
        where: 'here',
        why: 'the process listens there',
        instead: { address: '127.0.0.1', port: 41_000 },
      })
  })
  it('leaves everything alone when outgoing traffic is off, and loopback when that is ignored', () => {
    const off = { outgoingRules: { tcp: false, ignoreLocalhost: false } }
    for (const more of [off, { outgoingRules: undefined }]) assert.equal(where('10.0.0.1', 443, more), 'here')
    const ignored = { outgoingRules: { tcp: true, ignoreLocalhost: true } }
    assert.equal(where('127.0.0.1', 15_000, ignored), 'here')
    assert.equal(where('10.0.0.1', 443, ignored), 'pod')
  })
  it('gives the pod what is its own even without a relay, where it is refused then', () => {
    assert.equal(where('10.0.0.1', 443, { outgoingRules: { tcp: true, ignoreLocalhost: false } }), 'pod')
  })
})

// Multicast and broadcast addresses, of this machine's networks as they are.
import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { makeForMany } from '../../protocol/for-many.ts'

const one = (address: string, netmask: string, internal = false) =>
  ({ address, netmask, internal, family: 'IPv4', mac: '', cidr: null }) as NetworkInterfaceInfo
const isForMany = makeForMany(() => ({
  lo: [one('127.0.0.1', '255.0.0.0', true)],
  eth0: [one('192.168.1.5', '255.255.255.0')],
  eth1: [one('10.20.33.7', '255.255.252.0')],
  tun0: [one('10.8.0.1', '255.255.255.255'), one('10.9.0.2', '255.255.255.254')],
}))

describe('makeForMany()', () => {
  for (const address of [
    '255.255.255.255',
    '192.168.1.255',
    '10.20.35.255',
    '224.0.0.251',
    '239.1.2.3',
    'ff02::fb',
  ])
    it(`${address} is for many`, () => assert.ok(isForMany(address)))
  for (const address of [
    '192.168.1.254',
    '10.20.33.255',
    '127.255.255.255',
    '10.8.0.1',
    '10.9.0.3',
    '223.255.255.255',
    '240.0.0.1',
    'fe80::1',
    'fd00::ff02',
  ])
    it(`${address} is for one`, () => assert.ok(!isForMany(address)))
})

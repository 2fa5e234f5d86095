// Reads /proc/net/tcp and tcp6 as the kernel prints them.
import assert from 'node:assert/strict'
import { parseTcpTable, takesConnectionsTo } from '../../protocol/tcp-table.ts'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'

describe('parseTcpTable()', () => {
  it('reads a listener of IPv4 with its user and inode', () => {
    const line =
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0\n'
    assert.deepEqual(parseTcpTable(head + line), [
      { address: '127.0.0.1', port: 8080, listening: true, user: 1000, inode: '12345' },
    ])
  })
  it('reads a wildcard listener of IPv6', () => {
    const line =
      '   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 100 0 0 10 0\n'
    assert.deepEqual(parseTcpTable(head + line), [
      { address: '::', port: 80, listening: true, user: 0, inode: '77' },
    ])
  })
  it('reads an established connection as not listening', () => {
    const line =
      '   1: 0200010A:A000 0900010A:0050 01 00000000:00000000 02:00000000 00000000     0        0 78 1 0 100 0 0 10 0\n'
    assert.deepEqual(parseTcpTable(head + line), [
      { address: '10.1.0.2', port: 40960, listening: false, user: 0, inode: '78' },
    ])
  })
  it('takes a UDP socket that is not connected for one that listens', () => {
    const line =
      '  110: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 1600 2 0000000000000000 0\n'
    assert.deepEqual(parseTcpTable(head + line, 'udp'), [
      { address: '127.0.0.1', port: 53, listening: true, user: 101, inode: '1600' },
    ])
    assert.equal(parseTcpTable(head + line)[0]!.listening, false)
  })
  it('reads nothing in an empty table', () => assert.deepEqual(parseTcpTable(head), []))
})

describe('takesConnectionsTo()', () => {
  const socket = (address: string, onlySix = false) => ({ address, port: 80, onlySix })
  for (const [address, to, takes] of [
    ['0.0.0.0', '127.0.0.1', true],
    ['0.0.0.0', '::1', false],
    ['::', '::1', true],
    ['::', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
  ] as const)
    it(`a socket on ${address} ${takes ? 'takes' : 'does not take'} a connection to ${to}`, () => {
      assert.equal(takesConnectionsTo(socket(address), { address: to, port: 80 }), takes)
    })
  it('a socket on :: that is for IPv6 alone takes none to 127.0.0.1', () => {
    assert.equal(takesConnectionsTo(socket('::', true), { address: '127.0.0.1', port: 80 }), false)
  })
  it('nor does any socket of another port', () => {
    assert.equal(takesConnectionsTo(socket('0.0.0.0'), { address: '127.0.0.1', port: 81 }), false)
  })
})

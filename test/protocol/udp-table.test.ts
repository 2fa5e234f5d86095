// The kernel's table of UDP sockets as text, and who of it takes datagrams.
import assert from 'node:assert/strict'
import { parseUdpTable, takesDatagramsTo } from '../../protocol/udp-table.ts'

const four = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  322: 3600007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 12345 2 0000000000000000 0
 1400: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   107        0 12346 2 0000000000000000 0
 2100: 0100007F:9C40 0100007F:0035 01 00000000:00000000 00:00000000 00000000  1000        0 12347 2 0000000000000000 3
`
const six = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1400: 00000000000000000000000000000000:0208 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12348 2 0000000000000000 0
`

describe('the table of UDP sockets', () => {
  const entries = [...parseUdpTable(four), ...parseUdpTable(six)]
  it('is read with addresses, ports and inodes', () => {
    assert.deepEqual(entries, [
      { address: '127.0.0.54', port: 53, isConnected: false, inode: '12345' },
      { address: '0.0.0.0', port: 5353, isConnected: false, inode: '12346' },
      { address: '127.0.0.1', port: 40_000, isConnected: true, inode: '12347' },
      { address: '::', port: 520, isConnected: false, inode: '12348' },
    ])
  })
  for (const [address, port, takes] of [
    ['127.0.0.54', 53, true],
    ['127.0.0.1', 53, false],
    ['127.0.0.1', 5353, true],
    ['::1', 5353, false],
    ['127.0.0.1', 40_000, false],
    ['127.0.0.1', 520, true],
    ['::1', 520, true],
    ['::1', 521, false],
  ] as const)
    it(`has ${takes ? 'one' : 'none'} that takes what is sent to ${address} port ${port}`, () => {
      assert.equal(takesDatagramsTo(entries, { address, port }), takes)
    })
})

// Which UDP socket of this machine would take a datagram, as the kernel finds it.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { openDatagramTable } from '../../../hooks/linux/udp-sockets.ts'

describe('openDatagramTable()', () => {
  const sockets: Socket[] = []
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close()
  })

  async function bound(address: string, type: 'udp4' | 'udp6' = 'udp4', ipv6Only = false) {
    const socket = createSocket({ type, ipv6Only })
    sockets.push(socket)
    socket.bind(0, address)
    await once(socket, 'listening')
    return { socket, port: socket.address().port }
  }

  it('finds a socket that is not connected, whoever sends', async () => {
    const takes = openDatagramTable()
    for (const address of ['127.0.0.1', '0.0.0.0']) {
      const { port } = await bound(address)
      assert.ok(takes({ address: '127.0.0.1', port }))
      assert.ok(takes({ address: '127.0.0.1', port }, { address: '127.0.0.1', port: 9 }))
    }
  })
  it('finds one of IPv6 for IPv4, unless it is for IPv6 alone', async () => {
    const takes = openDatagramTable()
    const both = await bound('::', 'udp6')
    const six = await bound('::', 'udp6', true)
    assert.ok(takes({ address: '127.0.0.1', port: both.port }))
    assert.ok(takes({ address: '::1', port: six.port }))
    assert.ok(!takes({ address: '127.0.0.1', port: six.port }))
  })
  it('finds a connected one for its peer alone', async () => {
    const takes = openDatagramTable()
    const peer = await bound('127.0.0.1')
    const { socket, port } = await bound('127.0.0.1')
    await new Promise<void>(done => socket.connect(peer.port, '127.0.0.1', () => done()))
    const at = { address: '127.0.0.1', port }
    assert.ok(takes(at, { address: '127.0.0.1', port: peer.port }))
    assert.ok(!takes(at, { address: '127.0.0.1', port: peer.port === 9 ? 10 : 9 }))
    assert.ok(!takes(at))
  })
  it('finds nobody where nobody is', async () => {
    const { socket, port } = await bound('127.0.0.1')
    sockets.splice(sockets.indexOf(socket), 1)
    await new Promise<void>(done => socket.close(() => done()))
    assert.ok(!openDatagramTable()({ address: '127.0.0.1', port }))
  })
})

// The parsers of what /proc says about a network namespace, on text that a kernel printed.
import assert from 'node:assert/strict'
import { addressText } from '../../../agent/targets/address.ts'
import { parseFibTrie, parseIfInet6 } from '../../../agent/targets/addresses.ts'
import { listenersEnded, parseListeners, portsOf } from '../../../agent/targets/listeners.ts'
import { decideSidecar } from '../../../agent/targets/sidecar.ts'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n'
const rest = '00:00000000 00000000     0        0'
const rows = {
  any: `   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 ${rest} 207 1 0000000022ccb979 100 0 0 10 0                       \n`,
  loopback: `   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 ${rest} 42137 1 0000000022ccb97a 100 0 0 10 0\n`,
  connected: `   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 ${rest} 42140 1 0000000022ccb97b 20 4 30 10 -1\n`,
}
const six = (address: string) =>
  `   0: ${address}:1F90 ${'0'.repeat(32)}:0000 0A 00000000:00000000 ${rest} 19994 1 000000004f4d01d0 100 0 0 10 0\n`

const fibTrie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
        +-- 192.0.2.0/30 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
     +-- 192.0.2.0/24 2 0 2
        +-- 192.0.2.0/30 2 0 2
           |-- 192.0.2.2
              /32 host LOCAL
`

describe('parseListeners()', () => {
  it('reads address, port and inode of listening sockets only', () => {
    assert.deepEqual(parseListeners(head + rows.any + rows.loopback + rows.connected), [
      { address: '0.0.0.0', port: 2024, inode: '207' },
      { address: '127.0.0.1', port: 8080, inode: '42137' },
    ])
  })

  it('reads IPv6 addresses, and mapped ones as IPv4', () => {
    const addresses = [
      '0'.repeat(32),
      '00000000000000000000000001000000',
      '000080FE00000000FF00FC00010000FE',
      '0000000000000000FFFF00000200A8C0',
    ]
    const found = parseListeners(head + addresses.map(six).join('')).map(({ address }) => address)
    assert.deepEqual(found, ['::', '::1', 'fe80::fc:ff:fe00:1', '192.168.0.2'])
  })

  it('finds none in an empty table', () => {
    assert.deepEqual(parseListeners(head), [])
    assert.deepEqual(parseListeners(''), [])
  })
})

describe('listenersEnded()', () => {
  it('is true once a whole row of another state was seen', () => {
    assert.equal(listenersEnded(head + rows.any), false)
    assert.equal(listenersEnded(head + rows.any + rows.connected.slice(0, 60)), false)
    assert.equal(listenersEnded(head + rows.any + rows.connected), true)
  })
})

describe('portsOf()', () => {
  it('gives each port once, in order', () => {
    assert.deepEqual(
      portsOf(parseListeners(head + rows.loopback + rows.any + six('0'.repeat(32)))),
      [2024, 8080],
    )
  })
})

describe('addressText()', () => {
  it('shortens IPv6 as RFC 5952 says', () => {
    const text = (hex: string) => addressText(Buffer.from(hex, 'hex'))
    assert.equal(text('20010db8000000000001000000000001'), '2001:db8::1:0:0:1')
    assert.equal(text('20010db8000100010001000100010001'), '2001:db8:1:1:1:1:1:1')
    assert.equal(text('7f000001'), '127.0.0.1')
  })
})

describe('parseFibTrie()', () => {
  it('finds own addresses once each, without loopback, broadcast and networks', () => {
    assert.deepEqual(parseFibTrie(fibTrie), ['192.0.2.2'])
    assert.deepEqual(parseFibTrie(''), [])
  })
})

describe('parseIfInet6()', () => {
  it('leaves out loopback and link-local addresses', () => {
    const text = `fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 04 40 00 82     eth0
`
    assert.deepEqual(parseIfInet6(text), ['fd00::2'])
    assert.deepEqual(parseIfInet6(''), [])
  })
})

describe('decideSidecar()', () => {
  it('knows a mesh by a port that its program holds', () => {
    assert.equal(decideSidecar([{ port: 15006, names: ['envoy'] }]), 'istio')
    assert.equal(decideSidecar([{ port: 15001, names: ['MainThread', 'pilot-agent'] }]), 'istio')
    assert.equal(decideSidecar([{ port: 4143, names: ['linkerd2-proxy'] }]), 'linkerd')
  })

  it('takes another program on such a port for what it is', () => {
    assert.equal(decideSidecar([{ port: 15006, names: ['node'] }]), undefined)
    assert.equal(decideSidecar([]), undefined)
  })

  it('trusts the ports alone only when both are held by somebody who cannot be seen', () => {
    assert.equal(decideSidecar([{ port: 15006, names: [] }]), undefined)
    assert.equal(
      decideSidecar([
        { port: 15006, names: [] },
        { port: 15001, names: [] },
      ]),
      'istio',
    )
    assert.equal(
      decideSidecar([
        { port: 15006, names: ['node'] },
        { port: 15001, names: [] },
      ]),
      undefined,
    )
  })
})

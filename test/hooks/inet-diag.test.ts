// The kernel's answers about listening sockets, as Linux 6.18 gave them.
import assert from 'node:assert/strict'
import { listRequest, lookupRequest, readAnswer } from '../../hooks/inet-diag.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const four =
  '020a0000 46a00000 7f000001000000000000000000000000 00000000000000000000000000000000 00000000 2695000000000000 00000000 00000000 ff010000 00000000 a2030800'
const header = (length: string, type: string) => `${length}000000${type}000000 01000000 00000000`

describe('questions about listening sockets', () => {
  it('name family, protocol and state', () => {
    assert.deepEqual(
      listRequest(10),
      Buffer.concat([
        bytes('48000000 1400 0103 00000000 00000000 0a060000 00040000'),
        Buffer.alloc(40),
        bytes('ffffffffffffffff'),
      ]),
    )
  })
  it('name the address that a connection would be made to', () => {
    assert.deepEqual(
      lookupRequest({ address: '127.0.0.1', port: 18080 }).subarray(24, 40),
      bytes('46a00000 7f000001 0000000000000000'),
    )
    assert.deepEqual(
      lookupRequest({ address: '::1', port: 80 }).subarray(24, 44),
      bytes('00500000 00000000000000000000000000000001'),
    )
  })
})

describe('readAnswer()', () => {
  it('reads a socket of IPv4', () => {
    const { sockets, errno, last } = readAnswer(bytes(header('58', '14') + four))
    assert.deepEqual(sockets, [{ address: '127.0.0.1', port: 18080, inode: 525218, onlySix: false }])
    assert.deepEqual([errno, last], [0, false])
  })
  it('reads whether a socket of IPv6 takes IPv4, among other attributes', () => {
    for (const [flag, onlySix] of [
      ['00', false],
      ['01', true],
    ] as const) {
      const six = `0a0a0000 1f900000 ${'00'.repeat(32)} 00000000 0100000000000000 ${'00'.repeat(16)} 07000000`
      const attributes = `0500 0800 00 000000 0500 0b00 ${flag} 000000`
      const { sockets } = readAnswer(bytes(header('68', '14') + six + attributes))
      assert.deepEqual(sockets, [{ address: '::', port: 8080, inode: 7, onlySix }])
    }
  })
  it('reads several of one datagram, and the end of the list', () => {
    const { sockets, last } = readAnswer(
      bytes(`${(header('58', '14') + four).repeat(2)}${header('14', '03')} 00000000`),
    )
    assert.deepEqual([sockets.length, last], [2, true])
  })
  it('reads a refusal', () => {
    assert.equal(readAnswer(bytes(`${header('24', '02')} feffffff ${'00'.repeat(16)}`)).errno, 2)
  })
  it('stops at a message that is cut off', () => {
    assert.deepEqual(readAnswer(bytes(header('58', '14') + four.slice(0, 40))).sockets, [])
  })
})

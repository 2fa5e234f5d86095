// Addresses between text and struct sockaddr: bytes as the kernel writes them, and back.
import assert from 'node:assert/strict'
import { SocketAddress } from 'node:net'
import fc from 'fast-check'
import { AF_INET, AF_INET6, readAddress, writeAddress } from '../../hooks/address.ts'
import { normalAddress } from '../../protocol/address.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('readAddress()', () => {
  it('reads struct sockaddr_in as the kernel gives it', () => {
    const bytes = hex('0200 1f90 0a010002 0000000000000000')
    assert.deepEqual(readAddress(bytes), { address: '10.1.0.2', port: 8080 })
  })
  it('reads struct sockaddr_in6', () => {
    const bytes = hex('0a00 1f90 00000000 fd000000000000000000000000000002 00000000')
    assert.deepEqual(readAddress(bytes), { address: 'fd00::2', port: 8080 })
  })
  it('shows a mapped IPv4 address as IPv4', () => {
    const bytes = hex('0a00 1f90 00000000 00000000000000000000ffff0a010002 00000000')
    assert.deepEqual(readAddress(bytes), { address: '10.1.0.2', port: 8080 })
  })
  it('takes the 24 bytes without a scope that the kernel takes', () => {
    const bytes = hex('0a00 0050 00000000 00000000000000000000000000000000')
    assert.deepEqual(readAddress(bytes), { address: '::', port: 80 })
  })
  it('knows no address in a struct that is cut off', () => {
    for (let length = 0; length < 16; length++)
      assert.equal(readAddress(hex('0200 1f90 0a010002 0000000000000000').subarray(0, length)), undefined)
  })
  it('knows no address of another family', () => {
    assert.equal(readAddress(hex('0100 2f746d702f73 00000000000000000000')), undefined)
  })
})

describe('writeAddress()', () => {
  it('shows an IPv4 caller to an IPv6 socket as a mapped address', () => {
    const bytes = writeAddress(AF_INET6, { address: '10.1.0.9', port: 40000 })
    assert.equal(bytes.toString('hex'), '0a009c400000000000000000000000000000ffff0a01000900000000')
  })
  it('shows an IPv6 caller to an IPv4 socket as the dummy address of RFC 7600', () => {
    const bytes = writeAddress(AF_INET, { address: 'fd00::9', port: 40000 })
    assert.equal(bytes.toString('hex'), '02009c40c00000080000000000000000')
  })
  it('gives back through readAddress() every address in the spelling that Node uses', () => {
    const four = fc.ipV4().map(address => ({ address, family: AF_INET, name: 'ipv4' as const }))
    const six = fc.ipV6().map(address => ({ address, family: AF_INET6, name: 'ipv6' as const }))
    fc.assert(
      fc.property(
        fc.oneof(four, six),
        fc.integer({ min: 0, max: 65535 }),
        ({ address, family, name }, port) => {
          const read = readAddress(writeAddress(family, { address, port }))
          const nodes = new SocketAddress({ address, family: name, port }).address
          const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(nodes)?.[1] ?? nodes
          // Node writes addresses like ::1.2.3.4 half in IPv4; ours are compared by their groups.
          assert.deepEqual(read, { address: normalAddress(plain), port })
        },
      ),
    )
  })
})

describe('normalAddress()', () => {
  for (const [given, normal] of [
    ['fd00:0:0:0:0:0:0:2', 'fd00::2'],
    ['FD00::0002', 'fd00::2'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::ffff:10.1.0.2', '10.1.0.2'],
    ['fe80::1%eth0', 'fe80::1'],
    ['10.1.0.2', '10.1.0.2'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ] as const)
    it(`writes ${given} as ${normal}`, () => assert.equal(normalAddress(given), normal))
})

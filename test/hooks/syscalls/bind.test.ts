// What becomes of a bind: left alone, as asked, on loopback for the pod's address, or on the session's substitute.
import assert from 'node:assert/strict'
import { writeAddress } from '../../../hooks/address.ts'
import { decideBind, deservesSubstitute, moveAddress } from '../../../hooks/syscalls/bind.ts'
import { conflicts } from '../../../hooks/syscalls/port-holder.ts'

const EACCES = 13
const EINVAL = 22
const EADDRINUSE = 98
const session = {
  podAddresses: new Set(['10.1.0.2', 'fd00::2']),
  isWanted: (port: number) => port === 8080,
}

describe('decideBind()', () => {
  it('does a wanted port as it was asked', () => {
    const asked = { address: '0.0.0.0', port: 8080 }
    assert.deepEqual(decideBind(asked, session), asked)
  })
  it('leaves another port alone, so that "try the next port" works', () => {
    assert.equal(decideBind({ address: '0.0.0.0', port: 8081 }, session), undefined)
  })
  it('leaves port 0 alone', () => {
    assert.equal(decideBind({ address: '127.0.0.1', port: 0 }, session), undefined)
  })
  it("turns the pod's address into loopback of its family, whatever the port", () => {
    assert.deepEqual(decideBind({ address: '10.1.0.2', port: 9000 }, session), {
      address: '127.0.0.1',
      port: 9000,
    })
    assert.deepEqual(decideBind({ address: 'fd00::2', port: 8080 }, session), { address: '::1', port: 8080 })
  })
})

describe('deservesSubstitute()', () => {
  const outside = { hooked: false, user: 0 }
  it('holds for a port that needs a right', () => assert.ok(deservesSubstitute(EACCES, undefined)))
  it('holds for a port of a program outside of the session', () =>
    assert.ok(deservesSubstitute(EADDRINUSE, outside)))
  it('does not hold for a port of a program of the session', () =>
    assert.ok(!deservesSubstitute(EADDRINUSE, { ...outside, hooked: true })))
  it('does not hold when no listener is in the way', () =>
    assert.ok(!deservesSubstitute(EADDRINUSE, undefined)))
  it('does not hold for other errors', () => assert.ok(!deservesSubstitute(EINVAL, outside)))
})

describe('conflicts()', () => {
  const entry = { address: '127.0.0.1', port: 8080, listening: true, user: 0, inode: '1' }
  it('sees a listener on the same address', () => {
    assert.ok(conflicts(entry, { address: '127.0.0.1', port: 8080 }))
  })
  it('sees a wildcard on either side', () => {
    assert.ok(conflicts(entry, { address: '::', port: 8080 }))
    assert.ok(conflicts({ ...entry, address: '0.0.0.0' }, { address: '10.0.0.1', port: 8080 }))
  })
  it('does not see another address, another port, or a socket that does not listen', () => {
    assert.ok(!conflicts(entry, { address: '127.0.0.2', port: 8080 }))
    assert.ok(!conflicts(entry, { address: '127.0.0.1', port: 8081 }))
    assert.ok(!conflicts({ ...entry, listening: false }, { address: '127.0.0.1', port: 8080 }))
  })
})

describe('moveAddress()', () => {
  it('keeps flow and scope of an IPv6 address', () => {
    const bytes = writeAddress(10, { address: 'fd00::2', port: 8080 })
    bytes.writeUInt32LE(7, 4)
    bytes.writeUInt32LE(3, 24)
    const moved = moveAddress(bytes, { address: '::1', port: 9 })
    assert.deepEqual([moved.readUInt32LE(4), moved.readUInt32LE(24), moved.readUInt16BE(2)], [7, 3, 9])
    assert.equal(moved.subarray(8, 24).toString('hex'), '00000000000000000000000000000001')
  })
})

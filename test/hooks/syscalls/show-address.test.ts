// An address is cut to the caller's buffer, and its true length told, as accept(2) says.
import assert from 'node:assert/strict'
import { writeAddress } from '../../../hooks/address.ts'
import { cutAddress } from '../../../hooks/syscalls/show-address.ts'

const address = writeAddress(2, { address: '10.1.0.9', port: 40000 })

describe('cutAddress()', () => {
  it('gives the whole address where there is room', () => {
    assert.deepEqual(cutAddress(128, address), { bytes: address, told: 16 })
  })
  it('cuts to the room, and tells the true length', () => {
    assert.deepEqual(cutAddress(6, address), { bytes: address.subarray(0, 6), told: 16 })
  })
  it('writes nothing into no room', () => {
    assert.deepEqual(cutAddress(0, address), { bytes: Buffer.alloc(0), told: 16 })
  })
  it('refuses a negative room with EINVAL', () => assert.equal(cutAddress(-1, address), -22))
})

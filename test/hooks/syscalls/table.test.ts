// Trapped calls are known again by architecture and number.
import assert from 'node:assert/strict'
import { AUDIT_ARCH_I386, architectures, nameCall, ownArchitecture } from '../../../hooks/syscalls/table.ts'

describe('nameCall()', () => {
  it('names calls of each architecture by its own numbers', () => {
    assert.equal(nameCall(architectures.x64, architectures.x64.audit, 49), 'bind')
    assert.equal(nameCall(architectures.arm64, architectures.arm64.audit, 200), 'bind')
  })
  it('calls those of a 32-bit program foreign, although the numbers may be the same', () => {
    assert.equal(nameCall(architectures.x64, AUDIT_ARCH_I386, 49), 'foreign')
  })
})

describe('ownArchitecture()', () => {
  it('knows none on other machines', () => assert.equal(ownArchitecture('riscv64'), undefined))
})

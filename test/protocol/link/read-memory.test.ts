// Memory of reads: what was copied stays until it is let go, and then serves others.
import assert from 'node:assert/strict'
import { longestCopyBytes, ReadMemory } from '../../../protocol/link/read-memory.ts'

const filled = (text: string, bytes: number) => Buffer.alloc(bytes, text)

describe('ReadMemory', () => {
  it('uses no piece again of which a byte is still needed', () => {
    const memory = new ReadMemory()
    const copies = ['a', 'b', 'c'].map(text => memory.copy(filled(text, longestCopyBytes)))
    memory.letGo(longestCopyBytes + 1)
    const next = memory.copy(filled('d', longestCopyBytes))
    assert.equal(next.buffer, copies[0]!.buffer)
    assert.deepEqual(copies[1], filled('b', longestCopyBytes))
    assert.deepEqual(copies[2], filled('c', longestCopyBytes))
  })

  it('puts small ones side by side, and begins anew once all are let go', () => {
    const memory = new ReadMemory()
    const [first, second] = [memory.copy(filled('a', 10)), memory.copy(filled('b', 10))]
    assert.equal(first!.buffer, second!.buffer)
    assert.deepEqual([String(first), String(second)], ['a'.repeat(10), 'b'.repeat(10)])
    memory.letGo(10)
    assert.equal(memory.copy(filled('c', 10)).byteOffset, 20)
    memory.letGo(0)
    assert.equal(memory.copy(filled('d', 10)).byteOffset, 0)
  })

  it('keeps nothing that idle sockets could hold: what one has let go the next takes', () => {
    const idle = new ReadMemory()
    const { buffer } = idle.copy(filled('a', 1))
    idle.letGo(0)
    assert.equal(new ReadMemory().copy(filled('b', 1)).buffer, buffer)
  })
})

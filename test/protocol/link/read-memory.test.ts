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

  it('puts two side by side that fit, and begins anew once all are let go', () => {
    const memory = new ReadMemory()
    const [first, second] = [memory.copy(filled('a', 20_000)), memory.copy(filled('b', 20_000))]
    assert.equal(first!.buffer, second!.buffer)
    assert.deepEqual([first, second], [filled('a', 20_000), filled('b', 20_000)])
    memory.letGo(20_000)
    assert.equal(memory.copy(filled('c', 20_000)).byteOffset, 40_000)
    memory.letGo(0)
    assert.equal(memory.copy(filled('d', 20_000)).byteOffset, 0)
  })

  it('counts what is small, which has memory of its own and holds none of the others', () => {
    const memory = new ReadMemory()
    const large = memory.copy(filled('a', longestCopyBytes))
    const small = memory.copy(filled('b', 100))
    assert.notEqual(small.buffer, large.buffer)
    memory.letGo(101)
    assert.notEqual(memory.copy(filled('c', longestCopyBytes)).buffer, large.buffer)
    memory.letGo(longestCopyBytes)
    assert.equal(memory.copy(filled('d', longestCopyBytes)).buffer, large.buffer)
  })

  it('keeps nothing that idle sockets could hold: what one has let go the next takes', () => {
    const idle = new ReadMemory()
    const { buffer } = idle.copy(filled('a', longestCopyBytes))
    idle.letGo(0)
    assert.equal(new ReadMemory().copy(filled('b', longestCopyBytes)).buffer, buffer)
  })
})

// Memory of messages: used again when it was given back, and never before.
import assert from 'node:assert/strict'
import { MessageMemory } from '../../../../server/kubernetes/channel/message-memory.ts'

describe('MessageMemory', () => {
  it('gives the same memory again once it was given back, for messages of other sizes too', () => {
    const memory = new MessageMemory(32_768)
    const first = memory.take(32_776)
    const second = memory.take(20_000)
    assert.notEqual(first.buffer, second.buffer)
    memory.giveBack(first)
    const third = memory.take(10_000)
    assert.deepEqual([third.buffer === first.buffer, third.length], [true, 10_000])
    assert.notEqual(memory.take(10_000).buffer, first.buffer)
  })

  it("keeps nothing of small messages, which are parts of Node's own pool, and of larger ones than any", () => {
    const memory = new MessageMemory(32_768)
    const small = memory.take(100)
    const large = memory.take(100_000)
    memory.giveBack(small)
    memory.giveBack(large)
    const next = memory.take(32_768)
    assert.ok(next.buffer !== small.buffer && next.buffer !== large.buffer)
  })
})

// Frames that go out whole: in the memory of their message where there is room for the head, and otherwise as they were written.
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { MessageMemory } from '../../../../server/kubernetes/channel/message-memory.ts'
import { writeWholeFrames } from '../../../../server/kubernetes/channel/whole-frames.ts'

describe('writeWholeFrames()', () => {
  /** What arrives: one entry for each call of the system below. */
  let calls: Buffer[][]
  let connection: Writable
  beforeEach(() => {
    calls = []
    connection = new Writable({
      write(chunk, _encoding, done) {
        calls.push([chunk])
        done()
      },
      writev(chunks, done) {
        calls.push(chunks.map(({ chunk }) => chunk))
        done()
      },
    })
    writeWholeFrames(connection)
  })

  const writeTogether = (...chunks: Buffer[]) => {
    connection.cork()
    for (const chunk of chunks) connection.write(chunk)
    connection.uncork()
  }

  it('writes a head of any length and its message as one, in the memory of the message', () => {
    const memory = new MessageMemory(32_768)
    for (const head of [Buffer.from('ab'), Buffer.from('abcdefgh'), Buffer.from('abcdefghijklmn')]) {
      const message = memory.take(20_000).fill('m')
      writeTogether(head, message)
      const [whole, ...more] = calls.pop()!
      assert.deepEqual([more.length, whole!.buffer === message.buffer], [0, true])
      assert.equal(String(whole), `${head}${'m'.repeat(20_000)}`)
      assert.equal(String(message), 'm'.repeat(20_000))
      memory.giveBack(message)
    }
  })

  it('leaves alone what has no room before it: a head too long, a part of a message, memory of others, several frames', () => {
    const memory = new MessageMemory(32_768)
    const message = memory.take(20_000).fill('m')
    const cases: Buffer[][] = [
      [Buffer.alloc(17), message],
      [Buffer.from('head'), message.subarray(10)],
      [Buffer.from('head'), Buffer.alloc(20_000).subarray(16)],
      [Buffer.from('head'), memory.take(100)],
      [Buffer.from('head'), message, Buffer.from('head'), message],
    ]
    for (const chunks of cases) {
      writeTogether(...chunks)
      assert.deepEqual(calls.pop(), chunks)
    }
  })
})

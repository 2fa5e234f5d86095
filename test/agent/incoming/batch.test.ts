// Batches between the threads: everything comes out in order, and credit bounds what is on its way.
import assert from 'node:assert/strict'
import {
  type Batch,
  BatchWriter,
  batchBytes,
  type Credit,
  giveBack,
  readBatch,
} from '../../../agent/incoming/batch.ts'
import { ends } from './conversation.ts'

function channel(limitBytes?: number) {
  const credit: Credit = new Int32Array(new SharedArrayBuffer(4))
  const batches: Batch[] = []
  const writer = new BatchWriter(credit, batch => batches.push(batch), limitBytes)
  const read = () => {
    const records: unknown[] = []
    const buffers: Buffer[] = []
    for (const batch of batches)
      readBatch(batch, {
        opened: (stream, opened) => records.push(['opened', stream, opened.connection]),
        data(stream, bytes, timeMs) {
          buffers.push(bytes)
          records.push(['data', stream, bytes.length, timeMs])
        },
        skipped: (stream, bytes, timeMs) => records.push(['skipped', stream, bytes, timeMs]),
        end: stream => records.push(['end', stream]),
        reset: (stream, reason) => records.push(['reset', stream, reason]),
      })
    return { records, bytes: Buffer.concat(buffers) }
  }
  return { credit, batches, writer, read }
}

describe('BatchWriter', () => {
  it('carries every kind of record in order', () => {
    const { writer, read } = channel()
    writer.opened(2, { connection: '1', direction: 'received', ...ends, at: 7.25, joined: false })
    writer.data(2, Buffer.from('xxhelloxx'), 2, 7, 8.5)
    writer.skipped(3, 9, 10.5)
    writer.end(2)
    writer.reset(3, 'a reason')
    writer.flush()
    const { records, bytes } = read()
    assert.deepEqual(records, [
      ['opened', 2, '1'],
      ['data', 2, 5, 8.5],
      ['skipped', 3, 9, 10.5],
      ['end', 2],
      ['reset', 3, 'a reason'],
    ])
    assert.equal(bytes.toString(), 'hello')
  })

  it('splits what is larger than a batch, and posts by itself when one is full', () => {
    const { writer, read, batches } = channel()
    const large = Buffer.alloc(3 * batchBytes + 5, 'abcdefg')
    writer.data(2, large, 0, large.length, 1)
    assert.equal(batches.length, 3)
    writer.flush()
    assert.ok(read().bytes.equals(large))
  })

  it('carries more records than it has room for at first', () => {
    const { writer, read } = channel()
    for (let stream = 0; stream < 1000; stream++) writer.end(stream)
    writer.flush()
    assert.equal(read().records.length, 1000)
  })

  it('posts nothing when there is nothing', () => {
    const { writer, batches } = channel()
    writer.flush()
    assert.equal(batches.length, 0)
  })

  it('is ready while less than the limit is on its way, also when the counter has wrapped around', () => {
    const { writer, batches, credit } = channel(1000)
    const bytes = Buffer.alloc(2 ** 20)
    for (let round = 0; round < 4200; round++) {
      assert.ok(writer.ready)
      writer.data(2, bytes, 0, bytes.length, 1)
      writer.flush()
      assert.ok(!writer.ready)
      for (const batch of batches.splice(0)) giveBack(credit, batch)
    }
    assert.ok(writer.ready)
  })
})

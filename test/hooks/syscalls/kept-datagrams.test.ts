// Datagrams that a signal took from their call: the next receive gets them, oldest first, cut to its own room.
import assert from 'node:assert/strict'
import { cutTo, makeKeptDatagrams, putBack, takeKept } from '../../../hooks/syscalls/datagrams/kept.ts'

const MSG_TRUNC = 0x20
const MSG_CTRUNC = 8
const datagram = (text: string) => ({
  ...{ payload: Buffer.from(text), name: Buffer.alloc(16), control: Buffer.alloc(24), flags: 0 },
})
const said = (one: { payload: Buffer } | undefined) => one?.payload.toString()

describe('kept datagrams', () => {
  it('come in the order in which they came, those that were put back first', () => {
    const kept = makeKeptDatagrams()
    putBack(kept, 1n, [datagram('third')])
    putBack(kept, 1n, [datagram('first'), datagram('second')])
    const taken = [1, 2, 3, 4].map(() => said(takeKept(kept, 1n, { peeks: false })))
    assert.deepEqual(taken, ['first', 'second', 'third', undefined])
    assert.equal(kept.size, 0)
  })
  it('stay for a call that only looks, and are of their socket alone', () => {
    const kept = makeKeptDatagrams()
    putBack(kept, 1n, [datagram('one')])
    assert.equal(said(takeKept(kept, 1n, { peeks: true })), 'one')
    assert.equal(takeKept(kept, 2n, { peeks: false }), undefined)
    assert.equal(said(takeKept(kept, 1n, { peeks: false })), 'one')
  })
  it('are as many as a socket of the kernel would hold', () => {
    const kept = makeKeptDatagrams()
    putBack(kept, 1n, Array(1000).fill(datagram('x'.repeat(1024))))
    assert.equal(kept.get(1n)?.length, 256)
  })
  it('are not there when a call has taken nothing', () => {
    const kept = makeKeptDatagrams()
    putBack(kept, 1n, [])
    assert.equal(kept.has(1n), false)
  })
})

describe('cutTo()', () => {
  it('shows a datagram whole that there is room for', () => {
    const cut = cutTo(datagram('hello'), { room: 5, controlRoom: 24, wantsLength: false })
    assert.deepEqual([cut.result, said(cut), cut.flags], [5, 'hello', 0])
  })
  it('cuts one, says so, and gives its length when asked', () => {
    for (const [wantsLength, result] of [
      [false, 2],
      [true, 5],
    ] as const) {
      const cut = cutTo(datagram('hello'), { room: 2, controlRoom: 8, wantsLength })
      assert.deepEqual(
        [cut.result, said(cut), cut.control.length, cut.flags],
        [result, 'he', 8, MSG_TRUNC | MSG_CTRUNC],
      )
    }
  })
})

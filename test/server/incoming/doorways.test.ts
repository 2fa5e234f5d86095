// The turns of connections at a listener: bounded, in order, passed on whatever happens.
import assert from 'node:assert/strict'
import { type Doorway, Doorways } from '../../../server/incoming/doorways.ts'

const listener = { address: '127.0.0.1', port: 8080 }
const turn = () => new Promise(setImmediate)

/** Connections that stay in the doorway until they are let go of, in the order in which they came in. */
function visitors(doorways: Doorways, count: number, to = listener) {
  const inside: { index: number; doorway: Doorway; leave(): void }[] = []
  for (let index = 0; index < count; index++)
    void doorways.through(to, doorway => new Promise<void>(leave => inside.push({ index, doorway, leave })))
  return inside
}

describe('Doorways', () => {
  it('lets 16 in at once, the others when one leaves, in the order in which they came', async () => {
    const inside = visitors(new Doorways(), 40)
    await turn()
    assert.equal(inside.length, 16)
    for (const left of [3, 0]) inside[left]?.leave()
    await turn()
    assert.deepEqual(
      inside.map(({ index }) => index),
      Array.from({ length: 18 }, (_, index) => index),
    )
  })
  it('keep listeners apart', async () => {
    const doorways = new Doorways()
    visitors(doorways, 16)
    const other = visitors(doorways, 1, { ...listener, port: 8081 })
    await turn()
    assert.equal(other.length, 1)
  })
  it('pass the turn on after a failure', async () => {
    const doorways = new Doorways()
    const inside = visitors(doorways, 15)
    await assert.rejects(doorways.through(listener, () => Promise.reject(new Error('failed'))))
    const more = visitors(doorways, 1)
    await turn()
    assert.deepEqual([inside.length, more.length], [15, 1])
  })
  it('count how long nobody got in, from when one came or the last one got in', async () => {
    const inside = visitors(new Doorways(), 1)
    await turn()
    const { doorway } = inside[0]!
    assert.ok(doorway.stuckMs(performance.now() - 5_000) >= 5_000)
    doorway.entered()
    assert.ok(doorway.stuckMs(performance.now() - 5_000) < 5_000)
  })
})

// Sockets that wait to complete connections: how many are asked for, and when again.
import assert from 'node:assert/strict'
import { Ends, type Handle } from '../../../server/processes/ends.ts'

const settled = () => new Promise(resolve => setImmediate(resolve))

describe('Ends', () => {
  it('asks for as many as a burst finds, and for no more when they are there', async () => {
    let asked = 0
    const ends = new Ends(async () => {
      asked += 1
      return { close: () => {} }
    })
    ends.fill()
    ends.fill()
    await settled()
    ends.fill()
    assert.equal(asked, 16)
  })

  it('asks again for those that did not come', async () => {
    let asked = 0
    const ends = new Ends(async () => {
      asked += 1
      throw new Error('none')
    })
    ends.fill()
    await settled()
    assert.equal(asked, 16)
    ends.fill()
    await settled()
    assert.equal(asked, 32)
  })

  it('says why there is none to whoever needs one', async () => {
    const ends = new Ends(() => Promise.reject(new Error('none is left')))
    await assert.rejects(ends.complete({ address: '127.0.0.1', port: 1 }), /^Error: none is left$/)
  })

  it('closes those that are there, and those that come later', async () => {
    const open = new Set<Handle>()
    const come: (() => void)[] = []
    const ends = new Ends(() => {
      const handle = { close: () => void open.delete(handle) }
      open.add(handle)
      return new Promise(resolve => come.push(() => resolve(handle)))
    })
    ends.fill()
    for (const arrive of come.slice(0, 8)) arrive()
    await settled()
    ends.close()
    assert.equal(open.size, 8)
    for (const arrive of come.slice(8)) arrive()
    await settled()
    assert.equal(open.size, 0)
    ends.fill()
    assert.equal(come.length, 16)
  })
})

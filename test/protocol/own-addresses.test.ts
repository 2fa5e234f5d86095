// Which addresses are this machine's own, as its networks come and go.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { makeOwnAddresses } from '../../protocol/own-addresses.ts'

describe('makeOwnAddresses()', () => {
  it('knows them in every spelling, and looks again when what it knows is old', () => {
    const clock = sinon.useFakeTimers({ toFake: ['performance'] })
    try {
      let addresses = ['192.168.1.5', 'fd00:0::0:1']
      const read = () => ({ eth0: addresses.map(address => ({ address })) }) as never
      const isOwn = makeOwnAddresses(read)
      assert.deepEqual([isOwn('192.168.1.5'), isOwn('fd00::1'), isOwn('10.0.0.1')], [true, true, false])
      addresses = ['10.0.0.1']
      assert.equal(isOwn('10.0.0.1'), false)
      clock.tick(3_000)
      assert.deepEqual([isOwn('10.0.0.1'), isOwn('192.168.1.5')], [true, false])
    } finally {
      clock.restore()
    }
  })
})

// Ports of the pod that are mirrored to ports of this machine: to one at a time, until they are closed.
import assert from 'node:assert/strict'
import { Failure } from '../../../protocol/errors.ts'
import { Reverses } from '../../../server/forwarding/reverses.ts'

describe('Reverses', () => {
  it('gives the listener of a port, whoever listens there, and tells of each change', async () => {
    let changes = 0
    const reverses = new Reverses('s1', () => changes++)
    assert.equal(reverses.listenerFor(8080), undefined)
    const portId = reverses.add(8080, 3000)
    assert.deepEqual([portId, reverses.podPorts, changes], ['s1-r1', [8080], 1])
    const at = { address: '127.0.0.1', port: 3000 }
    const { actual, announce } = reverses.listenerFor(8080)!
    const announced = await announce({ source: at, caller: at, pod: at })
    assert.deepEqual([actual, await announced.reached(at)], [at, true])
    assert.ok(reverses.close(portId))
    assert.deepEqual([reverses.podPorts, reverses.listenerFor(8080), changes], [[], undefined, 2])
    assert.ok(!reverses.close(portId))
  })

  it('refuses a second one for the same port, and says how to end the first', () => {
    const reverses = new Reverses('s1', () => {})
    reverses.add(8080, 3000)
    assert.throws(
      () => reverses.add(8080, 3001),
      (thrown: Failure) => {
        assert.ok(thrown instanceof Failure)
        assert.equal(
          thrown.message,
          'Cannot mirror port 8080 of the pod to port 3001: it is mirrored to port 3000 as "s1-r1"',
        )
        assert.equal(thrown.data.fix, 'End that first: closePort "s1-r1"')
        return true
      },
    )
  })

  it('is silent when the session ends', () => {
    let changes = 0
    const reverses = new Reverses('s1', () => changes++)
    reverses.add(8080, 3000)
    reverses.end()
    assert.deepEqual([reverses.podPorts, changes], [[], 1])
  })
})

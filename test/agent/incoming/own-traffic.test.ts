// Which packets count as the own of a node whose network a target shares.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import type { Mirror } from '../../../agent/incoming/mirror.ts'
import { ownTraffic } from '../../../agent/incoming/own-traffic.ts'
import type { Subscription } from '../../../agent/incoming/subscription.ts'

const wanted: Subscription = { ports: [8080], answers: 'heads', loopbackOnly: false }

describe('ownTraffic()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  })
  afterEach(() => clock.restore())

  function mirrored() {
    const told: Subscription[] = []
    const below = {
      subscribe: async (subscription: Subscription) => void told.push(subscription),
      close: async () => {},
    } as unknown as Mirror
    const own = { addresses: ['10.0.0.1'] }
    return { told, own, mirror: ownTraffic(below, () => own.addresses) }
  }

  it('asks for what is to and from the own addresses, and again when these change', async () => {
    const { told, own, mirror } = mirrored()
    await mirror.subscribe(wanted)
    await clock.tickAsync(60_000)
    own.addresses = ['10.0.0.1', '10.0.0.100']
    await clock.tickAsync(60_000)
    assert.deepEqual(
      told,
      [['10.0.0.1'], own.addresses].map(localTo => ({ ...wanted, localTo })),
    )
  })

  it('looks no more when it is closed', async () => {
    const { told, own, mirror } = mirrored()
    await mirror.subscribe(wanted)
    await mirror.close()
    own.addresses = []
    await clock.tickAsync(60_000)
    assert.equal(told.length, 1)
    assert.equal(clock.countTimers(), 0)
  })
})

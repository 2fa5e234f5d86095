// The live views of a client, as far as they are refused.
import assert from 'node:assert/strict'
import { Failure } from '../../../protocol/errors.ts'
import type { Client } from '../../../server/rpc/client.ts'
import type { Session } from '../../../server/sessions/session.ts'
import { TrafficViews } from '../../../server/sessions/traffic-views.ts'
import { createTraffic } from '../../../server/traffic/traffic.ts'

describe('TrafficViews', () => {
  const session = (target: string) =>
    ({ status: { target, over: false }, traffic: createTraffic() }) as unknown as Session
  const start = (target: string, wish: object) =>
    new TrafficViews({} as Client).start(session(target), {
      credit: 0,
      announced: Promise.resolve(),
      ...wish,
    })
  const refused = (thrown: unknown) => thrown instanceof Failure && thrown.kind === 'nothing-arrives'

  it('refuse to wait for what arrives where there is no target, and show what leaves', () => {
    for (const wish of [{ directions: ['incoming'] }, { ports: [80] }])
      assert.throws(() => start('targetless', wish), refused)
    for (const wish of [{}, { directions: ['outgoing'] }, { ports: [80], directions: ['outgoing'] }])
      assert.equal(start('targetless', wish), 'v1')
    assert.equal(start('deployment/shop', { directions: ['incoming'] }), 'v1')
  })
})

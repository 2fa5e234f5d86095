// What a view shows of datagrams that leave from the pod.
import assert from 'node:assert/strict'
import { withTraffic } from './watch.ts'

const to = { address: '10.96.0.7', port: 9000 }
const local = { address: '10.1.0.2', port: 50_000 }
const facts = { to, rule: 'no filter keeps it here' }
const shown = { connection: 'out0', protocol: 'udp', to, rule: facts.rule }

describe('Traffic.flow()', () => {
  it('shows the first datagram, and the counts each way at the end', () =>
    withTraffic(stage => {
      const view = stage.view()
      const flow = stage.traffic.flow({ ...facts, name: 'stats.shop', local })
      assert.deepEqual(view.events(), [])
      flow.sent(10)
      flow.sent(20)
      flow.received(5)
      flow.lost()
      flow.over()
      flow.over()
      assert.deepEqual(view.events(), [
        { event: 'outgoingOpened', at: 5_020, ...shown, name: 'stats.shop', local, joined: false },
        {
          ...{ event: 'outgoingClosed', at: 5_020, connection: 'out0', sent: 30, received: 5 },
          datagrams: { sent: 2, received: 1, undelivered: 0, lost: 1 },
        },
      ])
    }))

  it('shows each errno of the network once, and counts them all', () =>
    withTraffic(stage => {
      const view = stage.view()
      const flow = stage.traffic.flow(facts)
      flow.sent(1)
      for (const errno of ['ECONNREFUSED', 'ECONNREFUSED', 'EHOSTUNREACH']) flow.undelivered(errno)
      flow.over()
      const events = view.events()
      assert.deepEqual(
        events.map(event => (event.event === 'outgoingUndelivered' ? event.errno : event.event)),
        ['outgoingOpened', 'ECONNREFUSED', 'EHOSTUNREACH', 'outgoingClosed'],
      )
      const last = events.at(-1)!
      assert.equal(last.event === 'outgoingClosed' && last.datagrams?.undelivered, 3)
    }))

  it('shows that there is no way, and of one without a datagram nothing', () =>
    withTraffic(stage => {
      const view = stage.view()
      stage.traffic.flow(facts).failed({ errno: 'ENETUNREACH', afterMs: 3 })
      stage.traffic.flow(facts).over()
      assert.deepEqual(view.events(), [
        { event: 'outgoingFailed', at: 5_000, ...shown, afterMs: 3, errno: 'ENETUNREACH' },
      ])
    }))

  it('tells a view that comes later of it with "joined", at what it shows next', () =>
    withTraffic(stage => {
      const flow = stage.traffic.flow(facts)
      flow.sent(1)
      const [late, incoming] = [stage.view(), stage.view({ directions: ['incoming'] })]
      flow.over()
      assert.deepEqual(
        late.events().map(event => (event.event === 'outgoingOpened' ? event.joined : event.event)),
        [true, 'outgoingClosed'],
      )
      assert.deepEqual(incoming.events(), [])
    }))
})

// What a view shows of connections that leave from the pod.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { TrafficEvent } from '../../../protocol/rpc/traffic.ts'
import { cut, withTraffic } from './watch.ts'

const to = { address: '10.96.0.7', port: 80 }
const local = { address: '10.1.0.2', port: 50_000 }
const facts = { protocol: 'tcp' as const, to, rule: 'no filter keeps it here' }
const asked = 'GET /stock HTTP/1.1\r\nHost: web\r\n\r\n'
const answered = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

function brief(events: readonly TrafficEvent[]): string[] {
  return events.map(event => {
    if (event.event === 'request') return `request ${event.method} ${event.path}`
    if (event.event === 'response') return `${event.side} ${event.status} ${event.body?.data ?? ''}`.trim()
    if (event.event === 'outgoingOpened') return event.joined ? 'joined' : 'opened'
    if (event.event === 'outgoingClosed')
      return `closed ${event.sent}/${event.received} ${event.reason ?? ''}`.trim()
    return event.event
  })
}

describe('Traffic.leaving()', () => {
  it('shows a connection with its rule, its name, the bytes each way and its end', () =>
    withTraffic(stage => {
      const view = stage.view()
      const leaving = stage.traffic.leaving({ ...facts, name: 'web.shop' })
      stage.clock.tick(5)
      leaving.stands(local)
      leaving.sent(Buffer.from('SSH-2.0-x\r\n'))
      leaving.received(Buffer.from('abc'))
      leaving.over('ECONNRESET')
      leaving.over()
      const shown = { connection: 'out0', protocol: 'tcp', to, rule: facts.rule, name: 'web.shop' }
      assert.deepEqual(view.events(), [
        { event: 'outgoingOpened', at: 5_005, ...shown, local, joined: false },
        {
          event: 'outgoingClosed',
          at: 5_005,
          connection: 'out0',
          sent: 11,
          received: 3,
          reason: 'ECONNRESET',
        },
      ])
    }))

  it('shows one that did not come about, with its errno and how long it took', () =>
    withTraffic(stage => {
      const view = stage.view()
      const leaving = stage.traffic.leaving(facts)
      stage.clock.tick(30)
      leaving.failed('EHOSTUNREACH')
      leaving.failed('ECONNABORTED')
      stage.traffic.leaving(facts).failed()
      assert.deepEqual(view.events(), [
        {
          ...{ event: 'outgoingFailed', at: 5_030, connection: 'out0', ...facts },
          ...{ afterMs: 30, errno: 'EHOSTUNREACH' },
        },
        { event: 'outgoingFailed', at: 5_030, connection: 'out1', ...facts, afterMs: 0 },
      ])
    }))

  it('shows requests and what the service answers, wherever their bytes are cut, and bodies when asked for', () => {
    const places = fc.array(fc.nat(1_000), { maxLength: 6 })
    fc.assert(
      fc.property(places, places, (first, second) =>
        withTraffic(stage => {
          const view = stage.view({ bodyBytes: 100 })
          const leaving = stage.traffic.leaving(facts)
          leaving.stands(local)
          for (const bytes of cut(Buffer.from(asked + asked), first)) leaving.sent(bytes)
          for (const bytes of cut(Buffer.from(answered + answered), second)) leaving.received(bytes)
          leaving.over()
          assert.deepEqual(brief(view.events()), [
            'opened',
            'request GET /stock',
            'request GET /stock',
            'service 200 ok',
            'service 200 ok',
            `closed ${2 * asked.length}/${2 * answered.length}`,
          ])
        }),
      ),
    )
  })

  it('tells a view that comes later of it with "joined", without heads, and counts all bytes', () =>
    withTraffic(stage => {
      const leaving = stage.traffic.leaving(facts)
      leaving.stands(local)
      leaving.sent(Buffer.from(asked))
      const view = stage.view()
      leaving.received(Buffer.from(answered))
      leaving.sent(Buffer.from(asked))
      leaving.over()
      assert.deepEqual(brief(view.events()), ['joined', `closed ${2 * asked.length}/${answered.length}`])
    }))

  it('is left out of views of ports or of what arrives, and alone in views of what leaves', () =>
    withTraffic(stage => {
      const views = [
        stage.view({ ports: [80] }),
        stage.view({ directions: ['incoming'] }),
        stage.view({ directions: ['outgoing'] }),
        stage.view({ ports: [80], directions: ['incoming', 'outgoing'] }),
      ]
      assert.equal(stage.traffic.needs.viewing, true)
      stage.traffic.leaving(facts).stands(local)
      stage.traffic.connection({
        ...{ connection: 'c1', direction: 'received', at: 1, joined: false },
        ...{ caller: local, pod: to },
      })
      assert.deepEqual(
        views.map(view => view.events().map(({ event }) => event)),
        [['opened'], ['opened'], ['outgoingOpened'], ['outgoingOpened', 'opened']],
      )
    }))

  it('asks for no capture by a view of what leaves', () =>
    withTraffic(stage => {
      stage.view({ directions: ['outgoing'], bodyBytes: 10 })
      assert.deepEqual(stage.traffic.needs, { answers: 'none', viewing: false })
    }))

  it('shows what stays here too, and says when each view begins to look and when none does any more', () =>
    withTraffic(stage => {
      const watched: boolean[] = []
      stage.traffic.onWatched = now => void watched.push(now)
      stage.traffic.stayed(facts)
      stage.view({ directions: ['incoming'] })
      const first = stage.view()
      const second = stage.view({ directions: ['outgoing'] })
      stage.traffic.stayed({ ...facts, name: 'localhost' })
      assert.deepEqual(second.events(), [{ event: 'outgoingStayed', at: 5_000, ...facts, name: 'localhost' }])
      first.stop()
      assert.deepEqual(watched, [true, true])
      second.stop()
      assert.deepEqual(watched, [true, true, false])
    }))
})

// What views see of connections: requests and answers of both sides, in the middle of a connection, with bytes missing, and under several views.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { TrafficEvent } from '../../../protocol/rpc/traffic.ts'
import type { ConnectionTaps } from '../../../server/traffic/connection.ts'
import { openedOf } from '../incoming/fake-stream.ts'
import { cut, type Stage, withTraffic } from './watch.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const chunkedOk = (...chunks: string[]) =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`

/** A connection of which both halves are captured. */
function connect(
  { traffic }: Stage,
  connection = 'c1',
  given: Parameters<typeof openedOf>[1] = {},
): ConnectionTaps {
  traffic.connection(openedOf(connection, { ...given, direction: 'sent' }))
  return traffic.connection(openedOf(connection, given))
}

/** One word an event. */
function brief(events: readonly TrafficEvent[]): string[] {
  return events.map(event => {
    if (event.event === 'request') return `request ${event.exchange} ${event.method} ${event.path}`
    if (event.event === 'response') return `${event.side} ${event.exchange} ${event.status}`
    if (event.event === 'opened') return event.joined ? 'joined' : 'opened'
    if (event.event !== 'closed') return event.event
    return `closed ${event.side} ${event.received}/${event.sent}${event.reason === undefined ? '' : ` ${event.reason}`}`
  })
}

describe('createTraffic()', () => {
  it('shows a request, both answers with their times, and the ends of both sides', () =>
    withTraffic(stage => {
      const view = stage.view({ bodyBytes: 100 })
      const taps = connect(stage)
      const process = taps.process()
      taps.received.data(Buffer.from(post('/cart', 'abc').slice(0, 10)), 1001)
      taps.received.data(Buffer.from(post('/cart', 'abc').slice(10)), 1002)
      taps.sent.data(Buffer.from(ok('pod').slice(0, -1)), 1005)
      taps.sent.data(Buffer.from('d'), 1009)
      stage.clock.tick(7)
      process.delivered(50)
      process.data(Buffer.from('HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n'), 5_007.5)
      taps.received.end(1010)
      taps.sent.end(1011)
      process.end(5_008)
      const message = { connection: 'c1', version: '1.1', exchange: 1 }
      assert.deepEqual(view.events(), [
        {
          event: 'opened',
          at: 1000,
          connection: 'c1',
          caller: openedOf('').caller,
          pod: openedOf('').pod,
          joined: false,
        },
        {
          ...message,
          event: 'request',
          at: 1001,
          method: 'POST',
          path: '/cart',
          headers: [['Content-Length', '3']],
          body: { encoding: 'utf8', data: 'abc', truncated: false },
        },
        {
          ...message,
          event: 'response',
          at: 1005,
          side: 'pod',
          status: 200,
          reason: 'OK',
          headers: [['Content-Length', '3']],
          firstByteMs: 4,
          durationMs: 8,
          body: { encoding: 'utf8', data: 'pod', truncated: false },
        },
        {
          ...message,
          event: 'response',
          at: 5007.5,
          side: 'process',
          status: 500,
          reason: 'Oh no',
          headers: [['Content-Length', '0']],
          firstByteMs: 7.5,
          durationMs: 7.5,
        },
        { event: 'closed', at: 1011, connection: 'c1', side: 'pod', received: 45, sent: 41 },
        { event: 'closed', at: 5008, connection: 'c1', side: 'process', received: 50, sent: 41 },
      ])
    }))

  it('gives the same events however the bytes are cut', () => {
    const received = [
      post('/a', 'x'.repeat(300)),
      get('/b'),
      'HEAD /c HTTP/1.1\r\n\r\n',
      'PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n',
      get('/e'),
    ]
    const sent = [
      ok('y'.repeat(200)),
      chunkedOk('one', 'two'),
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.0 200 OK\r\n\r\nuntil the end',
    ]
    const events = (places: readonly number[], sidesApart: boolean) =>
      withTraffic(stage => {
        const view = stage.view({ bodyBytes: 100 })
        const taps = connect(stage)
        const process = taps.process()
        const requests = sidesApart ? [received.join('')] : received
        const answers = sidesApart ? [sent.join('')] : sent
        for (const [index, text] of requests.entries()) {
          for (const piece of cut(Buffer.from(text), places)) taps.received.data(piece, 1001)
          for (const piece of cut(Buffer.from(answers[index] ?? ''), places)) {
            taps.sent.data(piece, 1002)
            process.data(piece, 5000)
          }
        }
        taps.received.end(1003)
        taps.sent.end(1003)
        process.end(5001)
        const bySide = (event: TrafficEvent) => ('side' in event ? event.side : event.event)
        return view.events().sort((a, b) => bySide(a).localeCompare(bySide(b)))
      })
    const expected = events([], false)
    assert.deepEqual(
      brief(expected).filter(text => text.startsWith('pod') || text.startsWith('request')),
      [
        'pod 1 200',
        'pod 2 200',
        'pod 3 200',
        'pod 4 204',
        'pod 5 200',
        'request 1 POST /a',
        'request 2 GET /b',
        'request 3 HEAD /c',
        'request 4 PUT /d',
        'request 5 GET /e',
      ],
    )
    fc.assert(
      fc.property(fc.array(fc.nat(1500), { maxLength: 40 }), fc.boolean(), (places, sidesApart) => {
        assert.deepEqual(events(places, sidesApart), expected)
      }),
      { numRuns: 200 },
    )
  })

  it('waits for the request when its answer arrives first', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      taps.sent.data(Buffer.from(ok('a') + ok('b')), 1002)
      taps.received.data(Buffer.from(get('/1')), 1001)
      taps.received.data(Buffer.from(get('/2')), 1001)
      assert.deepEqual(brief(view.events()), [
        'opened',
        'request 1 GET /1',
        'pod 1 200',
        'request 2 GET /2',
        'pod 2 200',
      ])
    }))

  it('shows a connection that is not HTTP with its bytes alone', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      taps.sent.data(Buffer.from('220 mail ready\r\n'), 1001)
      taps.received.data(Buffer.from('EHLO me\r\n'), 1002)
      taps.received.data(Buffer.from(get('/')), 1002)
      taps.received.end(1003)
      taps.sent.end(1004)
      assert.deepEqual(brief(view.events()), ['opened', 'closed pod 39/16'])
    }))

  it('shows nothing of a connection after its upgrade', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      taps.received.data(Buffer.from('GET /ws HTTP/1.1\r\nUpgrade: x\r\n\r\n'), 1001)
      taps.sent.data(Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n\r\n${ok('')}`), 1002)
      taps.received.data(Buffer.from(get('/inside')), 1003)
      taps.sent.data(Buffer.from(ok('inside')), 1004)
      assert.deepEqual(brief(view.events()), ['opened', 'request 1 GET /ws', 'pod 1 101'])
    }))

  it('goes on when an upgrade was not agreed to', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      taps.received.data(Buffer.from('GET /1 HTTP/1.1\r\nUpgrade: h2c\r\n\r\n'), 1001)
      taps.sent.data(Buffer.from(ok('')), 1002)
      taps.received.data(Buffer.from(get('/2')), 1003)
      assert.deepEqual(brief(view.events()), ['opened', 'request 1 GET /1', 'pod 1 200', 'request 2 GET /2'])
    }))

  it('counts bytes that were not captured in a body of known length, and in a chunk', () =>
    withTraffic(stage => {
      const view = stage.view({ bodyBytes: 10 })
      const taps = connect(stage)
      taps.received.data(Buffer.from(get('/1')), 1001)
      taps.sent.data(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc'), 1002)
      taps.sent.skipped(4997, 1003)
      taps.received.data(Buffer.from(get('/2')), 1004)
      taps.sent.data(Buffer.from('HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\nab'), 1005)
      taps.sent.skipped(4000, 1005)
      taps.sent.data(Buffer.from(`${'c'.repeat(94)}\r\n0\r\n\r\n`), 1006)
      const responses = view.events().filter(event => event.event === 'response')
      assert.deepEqual(
        responses.map(({ status, durationMs, body }) => [status, durationMs, body]),
        [
          [200, 2, { encoding: 'utf8', data: 'abc', truncated: true }],
          [201, 2, { encoding: 'utf8', data: 'ab', truncated: true }],
        ],
      )
    }))

  it('finds the next answer after chunks that were not captured, and takes nothing within a body for it', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      taps.received.data(Buffer.from(get('/1')), 1001)
      taps.sent.data(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'), 1002)
      taps.sent.skipped(5000, 1003)
      taps.sent.data(Buffer.from(ok('a body that looks like an answer')), 1004)
      taps.received.data(Buffer.from(get('/2')), 1010)
      taps.sent.data(Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'), 1012)
      assert.deepEqual(brief(view.events()), [
        'opened',
        'request 1 GET /1',
        'pod 1 200',
        'request 2 GET /2',
        'pod 2 404',
      ])
    }))

  it('takes nothing for an answer while the pod still sends what is not captured, and counts pipelined requests right', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      taps.received.data(Buffer.from(get('/1')), 1001)
      taps.sent.data(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'), 1002)
      taps.received.data(Buffer.from(get('/2')), 1003)
      taps.sent.skipped(5000, 1004)
      // Captured before what was skipped, and arrived after it.
      taps.received.data(Buffer.from(get('/3')), 1003)
      taps.sent.data(Buffer.from(ok('within a body')), 1005)
      taps.received.data(Buffer.from(get('/4') + get('/5')), 1006)
      taps.sent.data(Buffer.from(ok('4').replace('200', '202') + ok('5')), 1007)
      assert.deepEqual(
        brief(view.events()).filter(text => text.startsWith('pod')),
        ['pod 1 200', 'pod 4 202', 'pod 5 200'],
      )
    }))

  it('does not take what is under way for an answer when the pod began to be captured later', () =>
    withTraffic(stage => {
      const view = stage.view()
      const { received } = stage.traffic.connection(openedOf('c1'))
      received.data(Buffer.from(get('/1')), 1001)
      const { sent } = stage.traffic.connection(openedOf('c1', { direction: 'sent' }))
      sent.data(Buffer.from(ok('1')), 1002)
      received.data(Buffer.from(get('/2')), 1003)
      sent.data(Buffer.from(ok('2').replace('200', '201')), 1004)
      assert.deepEqual(brief(view.events()), ['opened', 'request 1 GET /1', 'request 2 GET /2', 'pod 2 201'])
    }))

  it('shows nothing after an upgrade that was answered before its request was seen', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      taps.sent.data(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 1002)
      taps.received.data(Buffer.from(`GET /ws HTTP/1.1\r\nUpgrade: x\r\n\r\n${get('/inside')}`), 1001)
      assert.deepEqual(brief(view.events()), ['opened', 'request 1 GET /ws', 'pod 1 101'])
    }))

  it('follows the pod when the process alone agrees to an upgrade', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      const process = taps.process()
      taps.received.data(Buffer.from('GET /1 HTTP/1.1\r\nUpgrade: x\r\n\r\n'), 1001)
      process.data(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 5000)
      taps.sent.data(Buffer.from(ok('')), 1002)
      taps.received.data(Buffer.from(get('/2')), 1003)
      assert.deepEqual(brief(view.events()).at(-1), 'request 2 GET /2')
    }))

  it('begins in the middle of a connection at the next request, says so, and takes no body for a head', () =>
    withTraffic(stage => {
      const taps = connect(stage)
      const process = taps.process()
      taps.received.data(Buffer.from(get('/1')), 1001)
      taps.sent.data(Buffer.from(ok('a')), 1002)
      process.data(Buffer.from(ok('a')), 5000)
      const body = get('/within a body')
      taps.received.data(Buffer.from(post('/2', `${body}${body}`).slice(0, -body.length)), 1003)
      const view = stage.view()
      taps.received.data(Buffer.from(body), 1004)
      taps.sent.data(Buffer.from(ok('b')), 1005)
      taps.received.data(Buffer.from(get('/3')), 1006)
      taps.sent.data(Buffer.from(ok('c')), 1007)
      stage.clock.tick(1)
      process.data(Buffer.from(ok('b') + ok('c')), 5001)
      taps.received.data(Buffer.from(get('/4')), 1008)
      taps.sent.data(Buffer.from(ok('d')), 1009)
      process.data(Buffer.from(ok('d')), 5002)
      const seen = brief(view.events())
      assert.equal(seen[0], 'joined')
      assert.deepEqual(seen.slice(1).sort(), [
        'pod 2 200',
        'pod 3 200',
        'pod 4 200',
        'process 2 200',
        'process 3 200',
        'process 4 200',
        'request 3 GET /3',
        'request 4 GET /4',
      ])
    }))

  it('numbers requests from 1 also when nobody looked at the first ones', () =>
    withTraffic(stage => {
      const taps = connect(stage)
      for (const path of ['/1', '/2', '/3']) {
        taps.received.data(Buffer.from(get(path)), 1001)
        taps.sent.data(Buffer.from(ok('')), 1002)
      }
      const view = stage.view()
      taps.received.data(Buffer.from(get('/4')), 1003)
      taps.sent.data(Buffer.from(ok('')), 1004)
      assert.deepEqual(brief(view.events()), ['joined', 'request 4 GET /4', 'pod 4 200'])
    }))

  it('knows where a request begins, viewed or not', () =>
    withTraffic(stage => {
      const { received } = connect(stage)
      assert.equal(received.atMessageStart, true)
      received.data(Buffer.from(post('/1', 'abc').slice(0, -1)), 1001)
      assert.equal(received.atMessageStart, false)
      received.data(Buffer.from('c'), 1001)
      assert.equal(received.atMessageStart, true)
      received.data(Buffer.from('not HTTP'), 1001)
      assert.equal(received.atMessageStart, false)
    }))

  it('shows an answer that does not end after 3 s, without its end', () =>
    withTraffic(stage => {
      const view = stage.view({ bodyBytes: 100 })
      const taps = connect(stage)
      taps.received.data(Buffer.from(get('/events')), 1001)
      taps.sent.data(Buffer.from('HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n'), 1002)
      assert.deepEqual(brief(view.events()), ['opened', 'request 1 GET /events'])
      stage.clock.tick(5_000)
      taps.sent.data(Buffer.from('data: 2\n\n'), 1003)
      taps.sent.end(1004)
      const responses = view.events().filter(event => event.event === 'response')
      assert.deepEqual(
        responses.map(({ durationMs, body }) => [durationMs, body?.data, body?.truncated]),
        [[undefined, 'data: 1\n\n', true]],
      )
    }))

  it('shows an answer that was cut off by a reset as truncated, and the reason', () =>
    withTraffic(stage => {
      const view = stage.view({ bodyBytes: 100 })
      const taps = connect(stage)
      taps.received.data(Buffer.from(get('/')), 1001)
      taps.sent.data(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'), 1002)
      taps.received.reset('gap of 10 bytes', 1003)
      taps.sent.reset('gap of 10 bytes', 1003)
      const events = view.events()
      assert.deepEqual(brief(events), [
        'opened',
        'request 1 GET /',
        'pod 1 200',
        'closed pod 30/41 gap of 10 bytes',
      ])
      const response = events.find(event => event.event === 'response')
      assert.deepEqual([response?.durationMs, response?.body?.truncated], [undefined, true])
    }))

  it('closes the pod side at the end of the one half when answers are not captured', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = stage.traffic.connection(openedOf('c1'))
      taps.received.data(Buffer.from(get('/')), 1001)
      taps.received.end(1002)
      assert.deepEqual(brief(view.events()), ['opened', 'request 1 GET /', 'closed pod 30/0'])
    }))

  it('shows each view its ports and as much of bodies as it asked for', () =>
    withTraffic(stage => {
      const all = stage.view()
      const bodies = stage.view({ ports: [8080], bodyBytes: 2 })
      const none = stage.view({ ports: [9090] })
      const taps = connect(stage)
      taps.received.data(Buffer.from(post('/', 'abc')), 1001)
      const shown = (events: TrafficEvent[]) =>
        events.map(event => (event.event === 'request' ? event.body : event.event))
      assert.deepEqual(shown(all.events()), ['opened', undefined])
      assert.deepEqual(shown(bodies.events()), ['opened', { encoding: 'utf8', data: 'ab', truncated: true }])
      assert.deepEqual(none.events(), [])
    }))

  it('needs no answers without a view, heads with one, and all of them with bodies', () =>
    withTraffic(stage => {
      const { traffic } = stage
      const told: unknown[] = []
      traffic.onNeedsChanged = () => told.push(traffic.needs)
      const first = stage.view()
      const second = stage.view({ bodyBytes: 1 })
      const third = stage.view({ bodyBytes: 1 })
      second.stop()
      third.stop()
      first.stop()
      first.stop()
      const heads = { answers: 'heads', viewing: true }
      assert.deepEqual(told, [
        heads,
        { answers: 'all', viewing: true },
        heads,
        { answers: 'none', viewing: false },
      ])
    }))

  it('sends what it has seen at its close, and nothing after it', () =>
    withTraffic(stage => {
      const view = stage.view()
      const taps = connect(stage)
      stage.traffic.close()
      taps.received.data(Buffer.from(get('/')), 1001)
      taps.received.end(1002)
      assert.deepEqual(brief(view.events()), ['opened'])
      assert.deepEqual(stage.traffic.needs, { answers: 'none', viewing: false })
    }))

  it('keeps nothing of connections that have ended, nor timers', () =>
    withTraffic(stage => {
      stage.view({ credit: 0 })
      for (let index = 0; index < 100; index++) {
        const taps = connect(stage, `c${index}`)
        taps.received.data(Buffer.from(get('/')), 1001)
        taps.sent.data(Buffer.from(ok('')), 1001)
        taps.received.end(1002)
        taps.sent.end(1002)
      }
      stage.clock.tick(1_000)
      assert.equal(stage.clock.countTimers(), 0)
    }))
})

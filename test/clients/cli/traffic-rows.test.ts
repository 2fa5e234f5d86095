// Traffic events turned into rows.
import assert from 'node:assert/strict'
import { trafficRows } from '../../../clients/cli/traffic-rows.ts'
import type { TrafficEvent } from '../../../protocol/rpc/traffic.ts'

const at = new Date(2026, 0, 2, 3, 4, 5, 67).getTime()
const opened: TrafficEvent = {
  event: 'opened',
  at,
  connection: 'c1',
  caller: { address: '10.1.0.9', port: 40000 },
  pod: { address: '10.1.0.2', port: 80 },
  joined: false,
}
const request = (exchange: number, path = '/cart'): TrafficEvent & { event: 'request' } => ({
  event: 'request',
  at,
  connection: 'c1',
  exchange,
  method: 'GET',
  path,
  version: '1.1',
  headers: [],
})
const response = (exchange: number, status = 200): TrafficEvent & { event: 'response' } => ({
  event: 'response',
  at,
  connection: 'c1',
  side: 'pod',
  exchange,
  status,
  reason: 'OK',
  version: '1.1',
  headers: [],
  firstByteMs: 1.234,
})
const closed: TrafficEvent = { event: 'closed', at, connection: 'c1', side: 'pod', received: 1, sent: 0 }

describe('trafficRows()', () => {
  it('prints a request when its answer begins, with time, caller, status and milliseconds', () => {
    const state = trafficRows()
    assert.deepEqual(state.rows(opened), [])
    assert.deepEqual(state.rows(request(1)), [])
    assert.deepEqual(state.rows(response(1)), [
      '03:04:05.067  10.1.0.9:40000            200      1.2  GET /cart',
    ])
    assert.deepEqual(state.counts(), { requests: 1, open: 1 })
  })

  it('tells pipelined requests apart by their number', () => {
    const state = trafficRows()
    for (const event of [opened, request(1, '/a'), request(2, '/b')]) state.rows(event)
    assert.match(state.rows(response(1))[0]!, /GET \/a$/)
    assert.match(state.rows(response(2, 404))[0]!, /404 .*GET \/b$/)
  })

  it('prints what was never answered when the connection ends', () => {
    const state = trafficRows()
    for (const event of [opened, request(1), request(2, '/late')]) state.rows(event)
    state.rows(response(1))
    const rows = state.rows(closed)
    assert.equal(rows.length, 1)
    assert.match(rows[0]!, / - {2} .*GET \/late$/)
    assert.deepEqual(state.counts(), { requests: 2, open: 0 })
  })

  it("waits for the final status, and takes the pod's answer, not the process's", () => {
    const state = trafficRows()
    for (const event of [opened, request(1), response(1, 100)]) assert.deepEqual(state.rows(event), [])
    assert.deepEqual(state.rows({ ...response(1), side: 'process' }), [])
    assert.equal(state.rows(response(1)).length, 1)
  })

  it('shows an answer whose request was not seen, and bodies under their row', () => {
    const state = trafficRows()
    const body = { encoding: 'utf8' as const, data: '{"a":1}\x1b', truncated: true }
    assert.deepEqual(state.rows({ ...response(1), body }), [
      '03:04:05.067  ?                         200      1.2  ?',
      '  < {"a":1}?',
      '  < …',
    ])
  })

  it('shows no line after the last line end of a body', () => {
    const body = { encoding: 'utf8' as const, data: 'one\n\ntwo\n', truncated: false }
    const [, ...lines] = trafficRows().rows({ ...response(1), body })
    assert.deepEqual(lines, ['  < one', '  < ', '  < two'])
  })

  it('forgets the oldest of too many unanswered requests', () => {
    const state = trafficRows()
    state.rows(opened)
    for (let exchange = 1; exchange <= 10_001; exchange++) state.rows(request(exchange))
    assert.equal(state.rows(closed).length, 10_000)
  })

  it('prints what leaves from the pod when it stands, when it ends, and when it does not come about', () => {
    const state = trafficRows()
    const rule = 'no filter keeps it here'
    const to = { address: '10.96.0.7', port: 5432 }
    const out = { at, connection: 'out1' }
    assert.deepEqual(
      state.rows({
        event: 'outgoingOpened',
        protocol: 'tcp',
        ...out,
        to,
        rule,
        name: 'db.shop',
        joined: false,
        local: to,
      }),
      ['03:04:05.067  > 10.96.0.7:5432         open        -  db.shop; by the pod: no filter keeps it here'],
    )
    state.rows({ ...request(1), connection: 'out1' })
    assert.deepEqual(state.rows({ ...response(1), connection: 'out1', side: 'service' }), [
      '03:04:05.067  > 10.96.0.7:5432          200      1.2  GET /cart',
    ])
    assert.deepEqual(
      state.rows({ event: 'outgoingClosed', ...out, sent: 5, received: 7, reason: 'ECONNRESET' }),
      ['03:04:05.067  > 10.96.0.7:5432          end        -  5 bytes sent, 7 received; ECONNRESET'],
    )
    assert.deepEqual(
      state.rows({
        event: 'outgoingFailed',
        protocol: 'tcp',
        ...out,
        to,
        rule,
        afterMs: 2,
        errno: 'ECONNREFUSED',
      }),
      ['03:04:05.067  > 10.96.0.7:5432       ECONNREFUSED      2.0  by the pod: no filter keeps it here'],
    )
    const stayed = { event: 'outgoingStayed', at, protocol: 'tcp', to } as const
    assert.deepEqual(state.rows({ ...stayed, rule: "this machine's own address" }), [
      "03:04:05.067  > 10.96.0.7:5432       stayed        -  from this machine: this machine's own address",
    ])
    assert.equal(state.counts().open, 0)
  })

  it('prints datagrams with their counts, and names that were looked up', () => {
    const state = trafficRows()
    const rule = 'no filter keeps it here'
    const to = { address: '10.96.0.7', port: 9000 }
    const out = { at, connection: 'out1' }
    const datagrams = { sent: 3, received: 2, undelivered: 0, lost: 0 }
    const asked = {
      ...{ event: 'lookedUp', at, name: 'web.shop', type: 'A', where: 'pod', rule, protocol: 'udp' },
      ...{ nameserver: { address: '10.96.0.10', port: 53 }, addresses: [], records: 0, durationMs: 1.2 },
    } satisfies TrafficEvent
    const events: TrafficEvent[] = [
      { event: 'outgoingOpened', protocol: 'udp', ...out, to, rule, joined: false },
      { event: 'outgoingUndelivered', ...out, to, errno: 'ECONNREFUSED' },
      { event: 'outgoingClosed', ...out, sent: 30, received: 20, datagrams },
      { event: 'outgoingStayed', at, protocol: 'udp', to, rule: 'something listens there' },
      { ...asked, code: 'NOERROR', addresses: ['10.96.0.7'], records: 1 },
      { ...asked, code: 'NXDOMAIN' },
      { ...asked, reason: 'ETIMEDOUT', where: 'here' },
    ]
    assert.deepEqual(
      events.flatMap(event => state.rows(event)),
      [
        '03:04:05.067  > 10.96.0.7:9000         open        -  datagrams by the pod: no filter keeps it here',
        '03:04:05.067  > 10.96.0.7:9000       ECONNREFUSED        -  a datagram did not arrive',
        '03:04:05.067  > 10.96.0.7:9000          end        -  3 datagrams (30 bytes) sent, 2 (20 bytes) received',
        '03:04:05.067  > 10.96.0.7:9000       stayed        -  datagrams from this machine: something listens there',
        '03:04:05.067  > 10.96.0.10:53        NOERROR      1.2  A web.shop; 10.96.0.7; by the pod: no filter keeps it here',
        '03:04:05.067  > 10.96.0.10:53        NXDOMAIN      1.2  A web.shop; NXDOMAIN; by the pod: no filter keeps it here',
        '03:04:05.067  > 10.96.0.10:53        ETIMEDOUT      1.2  A web.shop; no answer; by this machine: no filter keeps it here',
      ],
    )
    assert.equal(state.counts().open, 0)
  })
})

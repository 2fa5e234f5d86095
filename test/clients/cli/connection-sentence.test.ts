// What exec --connections says of each connection, as sentences and as objects.
import assert from 'node:assert/strict'
import { connectionSentence } from '../../../clients/cli/connection-sentence.ts'
import { jsonReporter, lineReporter } from '../../../clients/cli/report.ts'
import { execLine } from '../../../protocol/cli-output.ts'
import { decode } from '../../../protocol/codec.ts'
import type { OutgoingEvent } from '../../../protocol/rpc/outgoing-events.ts'

const at = 1
const [protocol, udp, unix] = ['tcp', 'udp', 'unix'] as const
const connection = 'out1'
const rule = 'no filter keeps it here'
const four = { address: '10.96.0.7', port: 5432 }
const six = { address: 'fd00::7', port: 80 }
const asked = {
  ...{ event: 'lookedUp', at, name: 'web.shop', type: 'A', where: 'pod', rule, protocol },
  ...{ nameserver: { address: '10.96.0.10', port: 53 }, addresses: [], records: 0, durationMs: 1.2 },
} satisfies OutgoingEvent
const events: [OutgoingEvent, string][] = [
  [
    {
      event: 'outgoingOpened',
      at,
      connection,
      protocol,
      to: four,
      local: four,
      rule,
      name: 'db.shop',
      joined: false,
    },
    'out1: connected to db.shop (10.96.0.7:5432) from the pod: no filter keeps it here',
  ],
  [
    {
      event: 'outgoingFailed',
      at,
      connection,
      protocol,
      to: six,
      rule,
      afterMs: 3.21,
      errno: 'ECONNREFUSED',
    },
    'out1: not connected to [fd00::7]:80 from the pod, ECONNREFUSED after 3.2 ms: no filter keeps it here',
  ],
  [
    { event: 'outgoingFailed', at, connection, protocol, to: six, rule, afterMs: 3 },
    'out1: not connected to [fd00::7]:80 from the pod, given up after 3.0 ms: no filter keeps it here',
  ],
  [
    { event: 'outgoingClosed', at, connection, sent: 5, received: 7 },
    'out1: ended, 5 bytes sent, 7 received',
  ],
  [
    { event: 'outgoingClosed', at, connection, sent: 5, received: 7, reason: 'ECONNRESET' },
    'out1: ended, 5 bytes sent, 7 received (ECONNRESET)',
  ],
  [
    { event: 'outgoingStayed', at, protocol, to: four, rule: "this machine's own address" },
    "connecting to 10.96.0.7:5432 from this machine: this machine's own address",
  ],
  [
    {
      ...{ event: 'outgoingStayed', at, protocol: unix, rule: 'no pattern matches' },
      to: { address: '/run/app.sock', port: 0 },
    },
    'connecting to /run/app.sock from this machine: no pattern matches',
  ],
  [
    {
      event: 'outgoingOpened',
      at,
      connection,
      protocol: udp,
      to: six,
      rule,
      name: 'dns.shop',
      joined: false,
    },
    'out1: datagrams to dns.shop ([fd00::7]:80) from the pod: no filter keeps it here',
  ],
  [
    {
      event: 'outgoingFailed',
      at,
      connection,
      protocol: udp,
      to: four,
      rule,
      afterMs: 3,
      errno: 'ENETUNREACH',
    },
    'out1: no datagrams to 10.96.0.7:5432 from the pod, ENETUNREACH after 3.0 ms: no filter keeps it here',
  ],
  [
    { event: 'outgoingUndelivered', at, connection, to: four, errno: 'ECONNREFUSED' },
    'out1: a datagram to 10.96.0.7:5432 did not arrive, ECONNREFUSED',
  ],
  [
    {
      ...{ event: 'outgoingClosed', at, connection, sent: 40, received: 9 },
      datagrams: { sent: 1, received: 2, undelivered: 0, lost: 0 },
    },
    'out1: ended, 1 datagram (40 bytes) sent, 2 (9 bytes) received',
  ],
  [
    {
      ...{ event: 'outgoingClosed', at, connection, sent: 40, received: 0 },
      datagrams: { sent: 4, received: 0, undelivered: 3, lost: 2 },
    },
    'out1: ended, 4 datagrams (40 bytes) sent, 0 (0 bytes) received, 3 undelivered, 2 lost on this machine',
  ],
  [
    { event: 'outgoingStayed', at, protocol: udp, to: four, rule: 'something listens there' },
    'datagrams to 10.96.0.7:5432 from this machine: something listens there',
  ],
  [
    { ...asked, code: 'NOERROR', addresses: ['10.96.0.7', '10.96.0.8'], records: 3 },
    'looked up web.shop (A) in the pod, 10.96.0.7 10.96.0.8 from 10.96.0.10 after 1.2 ms: no filter keeps it here',
  ],
  [
    { ...asked, code: 'NXDOMAIN' },
    'looked up web.shop (A) in the pod, NXDOMAIN from 10.96.0.10 after 1.2 ms: no filter keeps it here',
  ],
  [
    { ...asked, code: 'NOERROR' },
    'looked up web.shop (A) in the pod, no such record from 10.96.0.10 after 1.2 ms: no filter keeps it here',
  ],
  [
    { ...asked, type: 'SRV', code: 'NOERROR', records: 2 },
    'looked up web.shop (SRV) in the pod, 2 records from 10.96.0.10 after 1.2 ms: no filter keeps it here',
  ],
  [
    { ...asked, reason: 'ETIMEDOUT' },
    'looked up web.shop (A) in the pod, no answer from 10.96.0.10 after 1.2 ms (ETIMEDOUT): no filter keeps it here',
  ],
  [
    {
      ...{ ...asked, where: 'here', rule: 'entry "web" matches', file: '/etc/hosts' },
      ...{ code: 'NOERROR', addresses: ['127.0.0.1'], records: 1 },
    },
    'looked up web.shop (A) on this machine, 127.0.0.1 from /etc/hosts after 1.2 ms: entry "web" matches',
  ],
]

describe('connectionSentence()', () => {
  for (const [event, sentence] of events)
    it(`says of ${event.event}: ${sentence}`, () => assert.equal(connectionSentence(event), sentence))
})

describe('a reporter', () => {
  it('tells of connections by a line of its own, as the published shape has it, and nothing when quiet', () => {
    const [[event, sentence]] = events as [[OutgoingEvent, string]]
    const said: string[] = []
    lineReporter(text => void said.push(text), 'normal').report(event)
    lineReporter(text => void said.push(text), 'quiet').report(event)
    assert.deepEqual(said, [`standin: ${sentence}\n`])
    const written: string[] = []
    jsonReporter(text => void written.push(text), 'normal').report(event)
    assert.ok(decode(execLine, JSON.parse(written.join(''))).ok)
  })
})

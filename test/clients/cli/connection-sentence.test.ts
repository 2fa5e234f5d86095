// What exec --connections says of each connection, as sentences and as objects.
import assert from 'node:assert/strict'
import { connectionSentence } from '../../../clients/cli/connection-sentence.ts'
import { jsonReporter, lineReporter } from '../../../clients/cli/report.ts'
import { execLine } from '../../../protocol/cli-output.ts'
import { decode } from '../../../protocol/codec.ts'
import type { OutgoingEvent } from '../../../protocol/rpc/traffic.ts'

const at = 1
const connection = 'out1'
const rule = 'no filter keeps it here'
const four = { address: '10.96.0.7', port: 5432 }
const six = { address: 'fd00::7', port: 80 }
const events: [OutgoingEvent, string][] = [
  [
    { event: 'outgoingOpened', at, connection, to: four, local: four, rule, name: 'db.shop', joined: false },
    'out1: connected to db.shop (10.96.0.7:5432) from the pod: no filter keeps it here',
  ],
  [
    { event: 'outgoingFailed', at, connection, to: six, rule, afterMs: 3.21, errno: 'ECONNREFUSED' },
    'out1: not connected to [fd00::7]:80 from the pod, ECONNREFUSED after 3.2 ms: no filter keeps it here',
  ],
  [
    { event: 'outgoingFailed', at, connection, to: six, rule, afterMs: 3 },
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
    { event: 'outgoingStayed', at, to: four, rule: "this machine's own address" },
    "connecting to 10.96.0.7:5432 from this machine: this machine's own address",
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

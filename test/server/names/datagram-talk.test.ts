// Questions by datagram as a view is told of them: what is truncated or withheld is no answer.
import assert from 'node:assert/strict'
import { encode } from 'dns-packet'
import type { LookedUp } from '../../../protocol/rpc/outgoing-events.ts'
import { DatagramTalk } from '../../../server/names/datagram-talk.ts'

const nameserver = { address: '10.96.0.10', port: 53 }
const question = { type: 'A', name: 'big.shop' } as const
const truncated = 1 << 9
const message = (type: 'query' | 'response', flags = 0) =>
  encode({ type, id: 7, flags, questions: [question] })

async function told(learned: () => Promise<void>, answer: Buffer): Promise<LookedUp[]> {
  const events: LookedUp[] = []
  const sink = { viewing: true, clock: () => 0, show: (event: LookedUp) => void events.push(event) }
  const talk = new DatagramTalk({
    ...{ nameserver, sink, learned },
    choose: () => ({ where: 'pod', rule: 'no filter keeps it here' }),
  })
  talk.asked(message('query'))
  await talk.answered(answer).catch(() => undefined)
  talk.close()
  return events
}

describe('DatagramTalk', () => {
  it('does not tell of an answer that is to be asked for again by a connection', async () => {
    assert.deepEqual(await told(async () => {}, message('response', truncated)), [])
  })

  it('tells why an answer was withheld', async () => {
    const withheld = () => Promise.reject(new Error('a supervisor did not confirm'))
    const [event] = await told(withheld, message('response'))
    assert.deepEqual([event?.code, event?.reason], [undefined, 'a supervisor did not confirm'])
  })
})

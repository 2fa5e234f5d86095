// Requests to an agent: answers by id, failures, events.
import assert from 'node:assert/strict'
import * as t from 'io-ts'
import type { AgentEvent } from '../../../protocol/agent/control.ts'
import { object } from '../../../protocol/codec.ts'
import { AgentTalk } from '../../../server/sessions/agent-talk.ts'

const nothing = object('Nothing', {})
const number = object('N', { n: [t.number, 'a number'] })

function talk() {
  const sent: { id?: number; ask?: string }[] = []
  const events: AgentEvent[] = []
  const agent = new AgentTalk({
    send: value => void sent.push(value),
    onEvent: event => void events.push(event),
  })
  return { agent, sent, events }
}

describe('AgentTalk', () => {
  it('matches answers by id, in whatever order they come', async () => {
    const { agent, sent } = talk()
    const first = agent.ask({ ask: 'describe' }, number)
    const second = agent.ask({ ask: 'counters' }, number)
    agent.take({ id: sent[1]!.id, value: { n: 2 } })
    agent.take({ id: sent[0]!.id, value: { n: 1 } })
    assert.deepEqual([await first, await second], [{ n: 1 }, { n: 2 }])
  })

  it("rejects with the agent's failure, and with agent-failed for another shape", async () => {
    const { agent, sent } = talk()
    const failed = agent.ask({ ask: 'subscribe', ports: [80], answers: 'none' }, nothing)
    agent.take({ id: sent[0]!.id, failure: { kind: 'target-ended', values: { target: 'process/1' } } })
    await assert.rejects(failed, { kind: 'target-ended', message: /"process\/1"/ })
    const odd = agent.ask({ ask: 'describe' }, number)
    agent.take({ id: sent[1]!.id, value: { m: 1 } })
    await assert.rejects(odd, { kind: 'agent-failed' })
  })

  it('rejects what is open, and what is asked later, when it is closed', async () => {
    const { agent } = talk()
    const open = agent.ask({ ask: 'describe' }, nothing)
    agent.close('the link was lost')
    await assert.rejects(open, /the link was lost/)
    await assert.rejects(agent.ask({ ask: 'describe' }, nothing), /the link was lost/)
  })

  it('gives events on, and drops what it does not know', () => {
    const { agent, events } = talk()
    agent.take({ event: 'ports', ports: [80] })
    agent.take({ event: 'unheard' })
    agent.take({ id: 99, value: {} })
    agent.take(null)
    assert.deepEqual(events, [{ event: 'ports', ports: [80] }])
  })
})

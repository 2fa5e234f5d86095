// A supervisor that is told of a name: waited for, but not for long, and not when it is gone.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import type { ToSupervisor } from '../../../protocol/hook/messages.ts'
import { Learnings } from '../../../server/processes/learnings.ts'

const learned = { name: 'db', entries: [0], addresses: ['10.0.0.1'] }

describe('Learnings', () => {
  it('wait for the confirmation of each by itself', async () => {
    const sent: ToSupervisor[] = []
    const learnings = new Learnings(message => void sent.push(message))
    const [first, second] = [learnings.learn(learned), learnings.learn({ ...learned, name: 'web' })]
    assert.deepEqual(
      sent.map(message => message.type === 'learn' && [message.learning, message.learned.name]),
      [
        [1, 'db'],
        [2, 'web'],
      ],
    )
    learnings.confirmed(2)
    await second
    assert.equal(
      await Promise.race([first, new Promise(resolve => setImmediate(() => resolve('waits')))]),
      'waits',
    )
    learnings.confirmed(1)
    await first
  })

  it('fail after 2 s without one', async () => {
    const clock = sinon.useFakeTimers()
    try {
      const late = assert.rejects(
        new Learnings(() => {}).learn(learned),
        /did not confirm the addresses of db/,
      )
      await clock.tickAsync(2_000)
      await late
    } finally {
      clock.restore()
    }
  })

  it('are over when the supervisor is gone', async () => {
    const learnings = new Learnings(() => {})
    const waiting = learnings.learn(learned)
    learnings.end()
    await waiting
  })
})

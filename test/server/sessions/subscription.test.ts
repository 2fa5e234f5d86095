// The server's wish for ports at an agent: one request under way, then the newest.
import assert from 'node:assert/strict'
import { Subscription, type Wish } from '../../../server/sessions/subscription.ts'

const wish = (...ports: number[]): Wish => ({ ports, answers: 'none' })

function gated() {
  const applied: Wish[] = []
  const gates: (() => void)[] = []
  const failures: unknown[] = []
  const subscription = new Subscription(
    one =>
      new Promise<void>((resolve, reject) => {
        applied.push(one)
        gates.push(() => (one.ports.includes(666) ? reject(new Error('no right')) : resolve()))
      }),
    failure => void failures.push(failure),
  )
  const open = async () => {
    gates.shift()?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { subscription, applied, failures, open }
}

describe('Subscription', () => {
  it('asks for nothing that is in force', async () => {
    const { subscription, applied } = gated()
    await subscription.want(wish())
    assert.deepEqual(applied, [])
  })

  it('has one request under way, and then only the newest wish', async () => {
    const { subscription, applied, open } = gated()
    const done = subscription.want(wish(1))
    void subscription.want(wish(2))
    void subscription.want(wish(3))
    await open()
    await open()
    await done
    assert.deepEqual(applied, [wish(1), wish(3)])
  })

  it('tells of a failure and goes on with the next wish', async () => {
    const { subscription, applied, failures, open } = gated()
    const done = subscription.want(wish(666))
    await open()
    await done
    assert.equal(failures.length, 1)
    void subscription.want(wish(1))
    await open()
    assert.deepEqual(applied, [wish(666), wish(1)])
  })

  it('says everything again to another agent', async () => {
    const { subscription, applied, open } = gated()
    void subscription.want(wish(1))
    await open()
    void subscription.again()
    await open()
    assert.deepEqual(applied, [wish(1), wish(1)])
  })
})

// How long a server that ends something is waited for.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import type { Connection } from '../../../clients/rpc/connection.ts'
import { waitPatiently } from '../../../clients/rpc/patience.ts'
import { Failure } from '../../../protocol/errors.ts'

/** A server that answers as `request` does. */
function server(request: () => Promise<unknown>): Connection {
  return { request, notify: async () => {}, on() {}, closed: new Promise(() => {}) } as unknown as Connection
}
const never = new Promise<never>(() => {})
const answers = server(async () => ({ sessions: [] }))

describe('waitPatiently()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => clock.restore())

  it('waits as long as the server answers, up to the limit', async () => {
    const waited = waitPatiently(answers, never, { ms: 20_000 })
    await clock.tickAsync(19_000)
    assert.equal(await Promise.race([waited, Promise.resolve('waits')]), 'waits')
    await clock.tickAsync(2_000)
    assert.equal(await waited, 'late')
  })

  it('takes a refusal for a sign of life', async () => {
    const refuses = server(() => Promise.reject(new Failure('request-invalid', { reason: 'after shutdown' })))
    const waited = waitPatiently(refuses, never, { ms: 5_000 })
    await clock.tickAsync(6_000)
    assert.equal(await waited, 'late')
  })

  it('gives a server up that says nothing for 2 s, or is gone', async () => {
    const hung = waitPatiently(
      server(() => never),
      never,
      { ms: 20_000 },
    )
    await clock.tickAsync(3_000)
    assert.equal(await hung, 'silent')
    const gone = server(() => Promise.reject(new Failure('server-ended', { what: 'listSessions' })))
    const waited = waitPatiently(gone, never, { ms: 20_000 })
    await clock.tickAsync(1_000)
    assert.equal(await waited, 'silent')
  })

  it('ends with the work, well or badly, and at once when in a hurry', async () => {
    assert.equal(await waitPatiently(answers, Promise.resolve(), { ms: 1 }), 'ended')
    assert.equal(await waitPatiently(answers, Promise.reject(new Error('no')), { ms: 1 }), 'ended')
    const hurry = AbortSignal.abort()
    assert.equal(await waitPatiently(answers, never, { ms: 20_000, hurry }), 'hurried')
  })
})

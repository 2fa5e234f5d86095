// Which failures of attaching again end the session.
import assert from 'node:assert/strict'
import sinon from 'sinon'
import { Failure } from '../../../protocol/errors.ts'
import type { Attachment } from '../../../server/sessions/attachment.ts'
import { endingOf, reattach } from '../../../server/sessions/reattach.ts'

describe('endingOf()', () => {
  it('tells a process that ended from a target and from a namespace that exist no more', () => {
    const gone = new Failure('target-gone', { target: 'deployment/shop' })
    const nowhere = new Failure('namespace-not-found', { namespace: 'staging' })
    assert.deepEqual([new Failure('target-ended', { target: 'pod/shop' }), gone, nowhere].map(endingOf), [
      { state: 'stopped', reason: "the target's process ended" },
      { state: 'stopped', reason: 'deployment/shop no longer exists' },
      { state: 'stopped', reason: 'namespace "staging" no longer exists' },
    ])
  })
  it('calls all else a failure, in its own words', () => {
    const silent = new Failure('cluster-silent', { server: 'https://c', seconds: 30 })
    assert.deepEqual(endingOf(silent), { state: 'failed', reason: silent.message })
  })
})

describe('reattach()', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => clock.restore())

  const forbidden = new Failure('cluster-forbidden', { verb: 'list', resource: 'pods', where: '' })
  const attachment = {} as Attachment

  /** Attempts fail so one after the other, the last of these again and again; "ok" attaches. */
  async function reattached(outcomes: (Failure | 'ok')[]) {
    const atMs: number[] = []
    const reattaching = reattach({
      signal: new AbortController().signal,
      forMs: 600_000,
      onAttempt: () => atMs.push(performance.now()),
      async attach() {
        const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0]
        if (outcome instanceof Failure) throw outcome
        return attachment
      },
    })
    await clock.tickAsync(600_000)
    return { ...(await reattaching), atMs, lastedMs: atMs.at(-1)! - atMs[0]! }
  }

  it('bears for a while that an API server that has just begun refuses everybody', async () => {
    const silent = new Failure('cluster-refused', { server: 'https://c' })
    assert.equal((await reattached([silent, forbidden, forbidden, 'ok'])).attachment, attachment)
  })
  it('gives up when the permission stays missing', async () => {
    const { failure, lastedMs } = await reattached([forbidden])
    assert.equal(failure, forbidden)
    assert.ok(lastedMs >= 25_000 && lastedMs <= 40_000, `it tried for ${lastedMs} ms`)
  })
  it('gives up at once when a refusal is for good, and not when it may pass', async () => {
    const values = { namespace: 'shop', reason: 'violates PodSecurity', fix: 'Set it' }
    const refused = new Failure('agent-refused', values)
    assert.deepEqual((await reattached([refused])).atMs.length, 1)
    const webhook = new Failure('agent-refused', values, { retryable: true })
    assert.equal((await reattached([webhook, webhook, 'ok'])).attachment, attachment)
  })
})

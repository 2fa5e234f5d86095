// What the server makes of a bootstrap's offer and outcome, and of a connection that brings neither.
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import sinon from 'sinon'
import { Failure } from '../../../../protocol/errors.ts'
import { chooseBundle, readOffer, readOutcome } from '../../../../server/kubernetes/agent/deliver.ts'
import { firstLine } from '../../../../server/kubernetes/agent/first-line.ts'

const offer = { standin: 1, nonce: '17'.repeat(32), platform: 'linux-x64-glibc', node: 'v22.1.0' }
const bundle = Buffer.from('a bundle')
const bundles = {
  hash: '',
  manifest: Buffer.alloc(0),
  bundleFor: (platform: string) => (platform === 'linux-x64-glibc' ? bundle : undefined),
}

function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown))
    return thrown
  }
  return assert.fail('it did not fail')
}

describe('readOffer()', () => {
  it('gives the offer of a bootstrap', () => assert.deepEqual(readOffer(JSON.stringify(offer)), offer))

  for (const line of ['HTTP/1.1 400 Bad Request', '{}', 'null', JSON.stringify({ ...offer, standin: 2 })])
    it(`refuses ${line.slice(0, 30)}`, () => {
      const failure = failureOf(() => readOffer(line))
      assert.equal(failure.kind, 'agent-undeliverable')
      assert.equal(failure.data.detail, line)
    })
})

describe('chooseBundle()', () => {
  it('takes the bundle of the platform', () => assert.equal(chooseBundle(offer, bundles), bundle))

  const refused: readonly (readonly [object, RegExp, RegExp])[] = [
    [{ node: 'v18.20.4' }, /its image has Node\.js v18\.20\.4$/, /agent\.image .* 20 or newer/],
    [{ node: 'none' }, /its image has Node\.js none$/, /agent\.image/],
    [{ platform: 'linux-arm64-musl' }, /no agent for the platform linux-arm64-musl$/, /linux-x64-glibc/],
    [{ platform: 'win32-x64-glibc' }, /no agent for the platform win32-x64-glibc$/, /agent\.image/],
    [{ platform: '../../etc/passwd' }, /no agent for the platform/, /agent\.image/],
  ]
  for (const [differing, message, fix] of refused)
    it(`refuses ${JSON.stringify(differing)}, with a fix`, () => {
      const failure = failureOf(() => chooseBundle({ ...offer, ...differing }, bundles))
      assert.equal(failure.kind, 'agent-undeliverable')
      assert.match(failure.message, message)
      assert.match(failure.data.fix, fix)
    })
})

describe('readOutcome()', () => {
  it('is silent about an agent that runs', () => assert.equal(readOutcome('{"running":true}'), undefined))

  it('throws what the agent failed with', () => {
    const told = { kind: 'target-ended', values: { target: 'pod/shop' }, detail: 'why' }
    const failure = failureOf(() => readOutcome(JSON.stringify({ failure: told })))
    assert.equal(failure.kind, 'target-ended')
    assert.match(failure.message, /"pod\/shop"/)
    assert.equal(failure.data.detail, 'why')
  })

  it('refuses anything else', () => {
    assert.equal(failureOf(() => readOutcome('{"running":false}')).kind, 'agent-undeliverable')
    assert.equal(failureOf(() => readOutcome('ready')).kind, 'agent-undeliverable')
  })
})

describe('firstLine()', () => {
  const missing = 'it did not greet'
  const options = { maxBytes: 16, timeoutMs: 1_000, missing, signal: new AbortController().signal }

  it('gives a line that comes in pieces, and leaves what is behind it', async () => {
    const connection = new PassThrough()
    const line = firstLine(connection, options)
    connection.write('on')
    connection.write('e\ntwo')
    assert.equal(await line, 'one')
    assert.equal(String(connection.read()), 'two')
  })

  it('refuses a line of more bytes than allowed, ended or not', async () => {
    for (const text of ['a'.repeat(17), `${'a'.repeat(17)}\n`]) {
      const connection = new PassThrough()
      const line = firstLine(connection, options)
      connection.write(text)
      await assert.rejects(line, /sent a line of more than 16 bytes/)
    }
  })

  it('says that the connection closed, with the cause', async () => {
    const connection = new PassThrough()
    const line = firstLine(connection, options)
    connection.destroy(new Error('reset'))
    await assert.rejects(line, (error: Failure) => error.data.detail === 'reset')
    await assert.rejects(firstLine(connection, options), /the connection to its container closed/)
  })

  it('gives up after its time, saying what was awaited, and leaves no timer', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const line = assert.rejects(firstLine(new PassThrough(), options), /: it did not greet within 1 s$/)
      await clock.tickAsync(1_000)
      await line
      assert.equal(clock.countTimers(), 0)
    } finally {
      clock.restore()
    }
  })

  it("rejects with the signal's reason", async () => {
    const abort = new AbortController()
    const line = firstLine(new PassThrough(), { ...options, signal: abort.signal })
    abort.abort(new Error('stopped'))
    await assert.rejects(line, /stopped/)
  })
})

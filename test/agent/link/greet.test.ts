// Which hellos of a server the agent lets in, and how it turns the others away: wrong ones, endless ones, slow ones.
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import sinon from 'sinon'
import { checkHello, greetServer } from '../../../agent/link/greet.ts'
import { Failure } from '../../../protocol/errors.ts'
import { encodeFrame, type Frame, frameType } from '../../../protocol/link/frame.ts'
import { signedText } from '../../../protocol/link/hello.ts'
import { carrierPair } from '../../protocol/link/carriers.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const nonce = '17'.repeat(32)
const signatureOf = (session: string, key = privateKey, text = nonce): string =>
  sign(null, signedText(session, text), key).toString('hex')
const right = { version: 1, role: 'server', session: 's1', signature: signatureOf('s1'), received: '12' }

function helloOf(fields: object, type: Frame['type'] = frameType.hello): Frame {
  return { type, flags: 0, stream: 0, sequence: 0n, payload: Buffer.from(JSON.stringify(fields)) }
}
const check = (frame: Frame): bigint => checkHello(frame, { session: 's1', publicKey }, nonce)

describe('checkHello()', () => {
  it('gives the count of a right hello', () => assert.equal(check(helloOf(right)), 12n))

  const stranger = generateKeyPairSync('ed25519').privateKey
  const refused: [string, Frame, RegExp][] = [
    [
      'a signature by another key',
      helloOf({ ...right, signature: signatureOf('s1', stranger) }),
      /the signature is wrong/,
    ],
    [
      'a signature of another nonce',
      helloOf({ ...right, signature: signatureOf('s1', privateKey, '18'.repeat(32)) }),
      /the signature is wrong/,
    ],
    ['a signature that is no hex', helloOf({ ...right, signature: 'zz' }), /the signature is wrong/],
    [
      'another session, rightly signed',
      helloOf({ ...right, session: 's2', signature: signatureOf('s2') }),
      /it is for another session/,
    ],
    ['another version', helloOf({ version: 2 }), /version 2, this one 1/],
    ['a missing field', helloOf({ ...right, received: undefined }), /the hello is wrong \(received/],
    ['a count that is none', helloOf({ ...right, received: '-1' }), /the count of received frames is wrong/],
    ['another type of frame', helloOf(right, frameType.control), /the first frame has type 5/],
    [
      'what is not JSON',
      { ...helloOf({}), payload: Buffer.from('GET / HTTP/1.1') },
      /its payload is not JSON/,
    ],
  ]
  for (const [what, frame, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => check(frame),
        (error: unknown) => error instanceof Failure && message.test(error.message),
      )
    })
  }
})

describe('greetServer()', () => {
  const greeting = () => ({ session: 's1', publicKey, received: 0n, signal: new AbortController().signal })

  it('shows another nonce to each connection', async () => {
    const nonces = new Set<string>()
    for (let n = 0; n < 3; n += 1) {
      const [near, far] = carrierPair()
      const greeted = greetServer(near, greeting())
      const [bytes] = (await new Promise<Buffer[]>(resolve =>
        far.once('data', chunk => resolve([chunk])),
      )) as [Buffer]
      nonces.add(JSON.parse(bytes.subarray(20).toString()).nonce)
      far.destroy()
      await assert.rejects(greeted, /the other end closed the connection/)
    }
    assert.equal(nonces.size, 3)
  })

  it('leaves what came behind the hello for the link', async () => {
    const [near, far] = carrierPair()
    const behind = encodeFrame({
      type: frameType.ping,
      flags: 0,
      stream: 0,
      sequence: 0n,
      payload: Buffer.alloc(8),
    })
    far.once('data', chunk => {
      const shown = JSON.parse(chunk.subarray(20).toString()).nonce
      const hello = helloOf({ ...right, signature: signatureOf('s1', privateKey, shown) })
      far.write(Buffer.concat([encodeFrame(hello), behind]))
    })
    assert.equal(await greetServer(near, greeting()), 12n)
    const rest = new Promise(resolve => near.once('data', resolve))
    near.resume()
    assert.deepEqual(await rest, behind)
  })

  it('refuses a length of 1 GiB at once', async () => {
    const [near, far] = carrierPair()
    const greeted = greetServer(near, greeting())
    far.write(Buffer.from('40000000', 'hex'))
    await assert.rejects(greeted, /a first frame of 1073741828 bytes/)
  })

  it('waits 5 s for a hello, however slowly it comes', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const [near, far] = carrierPair()
      const greeted = assert.rejects(greetServer(near, greeting()), /nothing was said for 5000 ms/)
      await clock.tickAsync(4_900)
      far.write(Buffer.from('0000', 'hex'))
      await clock.tickAsync(200)
      await greeted
      assert.equal(clock.countTimers(), 0)
    } finally {
      clock.restore()
    }
  })
})

// Requests and their handlers: each request gets exactly one answer.
import assert from 'node:assert/strict'
import * as t from 'io-ts'
import { object } from '../../../protocol/codec.ts'
import { Failure } from '../../../protocol/errors.ts'
import { notification, request } from '../../../protocol/rpc/message.ts'
import { Dispatcher, maxRunningOfMethod } from '../../../server/rpc/dispatch.ts'
import { answer, type Call, type Handler, take } from '../../../server/rpc/handler.ts'

type Sent = {
  id: unknown
  result?: unknown
  error?: { code: number; message: string; data: { kind: string } }
}

const params = object('P', {}, { text: [t.string, 'a text'] })
const shape = { direction: 'clientToServer', summary: '', params, result: t.unknown } as const
const message = (method: string) => request({ ...shape, method, example: { params: {}, result: null } })

/** A dispatcher that has been initialized, with one handler of each name. */
async function start(handle: Record<string, (params: { text?: string | undefined }, call: Call) => unknown>) {
  const sent: Sent[] = []
  const logged: string[] = []
  const all: typeof handle = { initialize: () => null, ...handle }
  const handlers: Handler<null>[] = Object.entries(all).map(([method, run]) =>
    answer(message(method), (_: null, given, call) => run(given as { text?: string }, call)),
  )
  const noted: unknown[] = []
  const note = notification({
    method: 'note',
    direction: 'clientToServer',
    summary: '',
    params,
    example: { params: {} },
  })
  handlers.push(take(note, (_: null, given) => void noted.push(given)))
  const dispatcher = new Dispatcher({
    server: null,
    handlers,
    send: answered => void sent.push(answered as Sent),
    log: (_, text) => void logged.push(text),
  })
  const say = (envelope: object) =>
    dispatcher.handle(Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...envelope })))
  const settle = () => new Promise(resolve => setImmediate(resolve))
  say({ id: 0, method: 'initialize' })
  await settle()
  sent.length = 0
  return { dispatcher, sent, logged, noted, say, settle }
}

describe('Dispatcher', () => {
  it('answers a request with what its handler gives', async () => {
    const { say, sent, settle } = await start({ echo: ({ text }) => ({ text }) })
    say({ id: 'x', method: 'echo', params: { text: 'hello' } })
    await settle()
    assert.deepEqual(sent, [{ jsonrpc: '2.0', id: 'x', result: { text: 'hello' } }])
  })

  it('refuses an unknown method with -32601 and the one that was probably meant', async () => {
    const { say, sent } = await start({ listTargets: () => [] })
    say({ id: 1, method: 'listTarget' })
    say({ id: 2, method: 'note' })
    say({ id: 3, method: '__proto__' })
    assert.deepEqual(
      sent.map(({ error }) => error?.code),
      [-32601, -32601, -32601],
    )
    assert.match(sent[0]!.error!.message, /did you mean "listTargets"\?/)
  })

  it('refuses params that do not fit with -32602 and names the fields', async () => {
    const { say, sent, settle } = await start({ echo: () => null })
    say({ id: 1, method: 'echo', params: { text: 1, txt: '' } })
    say({ id: 2, method: 'echo', params: ['positional'] })
    await settle()
    assert.deepEqual([sent[0]!.error!.code, sent[1]!.error!.code], [-32602, -32602])
    assert.match(
      sent[0]!.error!.message,
      /text: expected string, got 1; txt: unknown field \(did you mean "text"\?\); the fields are text/,
    )
  })

  it('passes a failure on with its data', async () => {
    const { say, sent, settle } = await start({
      fail: () => {
        throw new Failure('session-not-found', { sessionId: 's9' })
      },
    })
    say({ id: 1, method: 'fail' })
    await settle()
    assert.equal(sent[0]!.error!.code, 1301)
    assert.equal(sent[0]!.error!.data.kind, 'session-not-found')
  })

  it('never shows the raw text of an exception as the message', async () => {
    const { say, sent, logged, settle } = await start({ fail: () => Promise.reject(new Error('secret')) })
    say({ id: 1, method: 'fail' })
    await settle()
    const { error } = sent[0]!
    assert.equal(error!.code, -32603)
    assert.equal(error!.message, 'Cannot finish "fail": an error of standin itself')
    assert.match(logged[0]!, /secret/)
  })

  it('answers a cancelled request once, with -32800', async () => {
    const { say, sent, settle, dispatcher } = await start({
      wait: (_, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('whatever'))),
        ),
    })
    say({ id: 5, method: 'wait' })
    dispatcher.cancel(5)
    dispatcher.cancel(5)
    await settle()
    assert.deepEqual(
      sent.map(({ id, error }) => [id, error?.code]),
      [[5, -32800]],
    )
    dispatcher.cancel(5)
  })

  it('answers requests that the server itself aborts with its reason, not as cancelled', async () => {
    const { say, sent, settle, dispatcher } = await start({
      wait: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    say({ id: 5, method: 'wait' })
    dispatcher.abortAll(new Failure('request-invalid', { reason: 'the server shuts down' }))
    await settle()
    assert.equal(sent[0]!.error!.code, -32600)
  })

  it('refuses the id of a request that is under way', async () => {
    const { say, sent, settle, dispatcher } = await start({ wait: () => new Promise(() => {}) })
    say({ id: 1, method: 'wait' })
    say({ id: 1, method: 'wait' })
    await settle()
    assert.equal(sent.length, 1)
    assert.equal(sent[0]!.error!.code, -32600)
    assert.equal(dispatcher.running, 1)
  })

  it('refuses requests of a method of which too many wait, and goes on with others', async () => {
    const { say, sent, settle, dispatcher } = await start({
      wait: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      echo: () => 'heard',
    })
    for (let id = 0; id <= maxRunningOfMethod; id++) say({ id, method: 'wait' })
    say({ id: 'other', method: 'echo' })
    await settle()
    assert.deepEqual(
      sent.map(({ id, error, result }) => [id, error?.data.kind ?? result]),
      [
        [maxRunningOfMethod, 'requests-waiting'],
        ['other', 'heard'],
      ],
    )
    dispatcher.cancel(0)
    await settle()
    say({ id: 'again', method: 'wait' })
    await settle()
    assert.deepEqual(
      sent.slice(2).map(({ id, error }) => [id, error?.code]),
      [[0, -32800]],
    )
  })

  it('resolves `answered` after the answer was sent', async () => {
    const { say, sent, settle } = await start({
      follow: (_, { answered }) => {
        void answered.then(() => sent.push({ id: 'followed' }))
        return 1
      },
    })
    say({ id: 1, method: 'follow' })
    await settle()
    assert.deepEqual(
      sent.map(({ id }) => id),
      [1, 'followed'],
    )
  })

  it('drops unknown notifications, silently if they begin with $/, and logs bad ones', async () => {
    const { say, sent, logged, noted } = await start({})
    say({ method: 'note', params: { text: 'a' } })
    say({ method: '$/unknown' })
    assert.deepEqual(logged, [])
    say({ method: 'unknown' })
    say({ method: 'note', params: { x: 1 } })
    assert.deepEqual(noted, [{ text: 'a' }])
    assert.equal(logged.length, 2)
    assert.deepEqual(sent, [])
  })
})

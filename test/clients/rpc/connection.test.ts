// The client's end of the editor protocol over in-memory streams.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { connect } from '../../../clients/rpc/connection.ts'
import { AnsweredError, reportedError } from '../../../clients/rpc/reported-error.ts'
import { Failure } from '../../../protocol/errors.ts'
import { processExit } from '../../../protocol/rpc/processes.ts'
import { startSession, stopSession } from '../../../protocol/rpc/sessions.ts'
import { listTargets } from '../../../protocol/rpc/targets.ts'

type Sent = { id?: number; method: string; params: unknown }

/** A connection whose server is the test. */
function staged() {
  const output = new PassThrough()
  const input = new PassThrough()
  const say = (message: object) => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    output.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const heard = async (): Promise<Sent> => {
    const [chunk] = await once(input, 'data')
    const text = String(chunk)
    const body = text.includes('{') ? text.slice(text.indexOf('{')) : String((await once(input, 'data'))[0])
    return JSON.parse(body) as Sent
  }
  return { connection: connect(output, input), output, say, heard }
}

describe('connect()', () => {
  it('answers a request with its checked result', async () => {
    const { connection, say, heard } = staged()
    const answer = connection.request(listTargets, { name: 'x' })
    const { id, method, params } = await heard()
    assert.deepEqual({ method, params }, { method: 'listTargets', params: { name: 'x' } })
    say({ id, result: { targets: [], warnings: [] } })
    assert.deepEqual(await answer, { targets: [], warnings: [] })
  })

  it('rejects with the error of the server, its fix included', async () => {
    const { connection, say, heard } = staged()
    const answer = connection.request(stopSession, { sessionId: 's9' })
    const { id } = await heard()
    const data = { kind: 'session-not-found', blame: 'user', retryable: false, fix: 'Ask listSessions' }
    say({ id, error: { code: 1301, message: 'Cannot find session', data } })
    await assert.rejects(answer, thrown => {
      assert.ok(thrown instanceof AnsweredError)
      assert.deepEqual(reportedError(thrown, 'x'), { code: 1301, message: 'Cannot find session', ...data })
      return true
    })
  })

  it('cancels a request when its signal is aborted', async () => {
    const { connection, say, heard } = staged()
    const abort = new AbortController()
    const answer = connection.request(startSession, { target: 'process/1' }, { signal: abort.signal })
    const { id } = await heard()
    const cancelled = heard()
    abort.abort()
    assert.deepEqual((await cancelled).params, { id })
    say({ id, error: { code: -32800, message: 'cancelled' } })
    await assert.rejects(answer, AnsweredError)
  })

  it('does not send a request whose signal was aborted before', async () => {
    const { connection } = staged()
    const signal = AbortSignal.abort()
    await assert.rejects(connection.request(startSession, { target: 'process/1' }, { signal }), /cancelled/)
  })

  it('rejects what is unanswered, and every later request, when the server goes away', async () => {
    const { connection, output, heard } = staged()
    const answer = connection.request(listTargets, {})
    await heard()
    output.end()
    const isEnded = (thrown: unknown) => thrown instanceof Failure && thrown.kind === 'server-ended'
    await assert.rejects(answer, isEnded)
    await connection.closed
    await assert.rejects(connection.request(listTargets, {}), isEnded)
    await connection.notify(processExit, { processId: 'p1' })
  })

  it('rejects a result of another shape, and drops such a notification', async () => {
    const { connection, say, heard } = staged()
    const seen: string[] = []
    connection.on(processExit, ({ processId }) => seen.push(processId))
    const answer = connection.request(listTargets, {})
    const { id } = await heard()
    say({ method: 'process/exit', params: { processId: 1 } })
    say({ method: 'process/exit', params: { processId: 'p1', code: 0 } })
    say({ id, result: { targets: 'none' } })
    await assert.rejects(answer, /an error of standin itself/)
    assert.deepEqual(seen, ['p1'])
  })
})

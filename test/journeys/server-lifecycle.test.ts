// The life of the server over stdio, from initialize to exit, and what it answers to clients that break the protocol.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type RawServer, startRawServer } from '../stage/raw-server.ts'

describe('the server over stdio', () => {
  let server: RawServer
  beforeEach(() => {
    server = startRawServer()
  })
  afterEach(async () => {
    server.child.stdin?.end()
    await server.ended
  })
  const initialize = () => server.client.ask('initialize', { processId: null, clientInfo: { name: 'raw' } })

  it('lives as the Language Server Protocol says: initialize, requests, shutdown, exit with code 0', async () => {
    const { result } = await initialize()
    assert.equal((result as { serverInfo: { name: string } }).serverInfo.name, 'standin')
    server.client.send({ method: 'initialized', params: {} })
    assert.deepEqual((await server.client.ask('listSessions')).result, { sessions: [] })
    assert.equal((await server.client.ask('shutdown', null)).result, null)
    assert.equal((await server.client.ask('listSessions')).error?.code, -32600)
    server.client.send({ method: 'exit' })
    assert.equal(await server.ended, 0)
  })

  it('refuses a request before initialize with -32002, and a second initialize with -32600', async () => {
    assert.equal((await server.client.ask('listTargets')).error?.code, -32002)
    assert.notEqual((await initialize()).result, undefined)
    assert.equal((await initialize()).error?.code, -32600)
    assert.equal((await server.client.ask('listSessions')).error, undefined)
  })

  it('ends with code 1 on exit without shutdown', async () => {
    await initialize()
    server.client.send({ method: 'exit' })
    assert.equal(await server.ended, 1)
  })

  it('ends with code 1 when its input ends, and with 0 when that comes after shutdown', async () => {
    await initialize()
    server.child.stdin?.end()
    assert.equal(await server.ended, 1)
    server = startRawServer()
    await initialize()
    await server.client.ask('shutdown')
    server.child.stdin?.end()
    assert.equal(await server.ended, 0)
  })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`ends by itself on ${signal}`, async () => {
      await initialize()
      server.child.kill(signal)
      assert.equal(await server.ended, 1)
    })
  }

  it('ends when the process of the client is gone, though its pipes are open', async () => {
    const editor = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    const gone = once(editor, 'exit')
    await server.client.ask('initialize', { processId: editor.pid })
    editor.stdin.end()
    await gone
    assert.equal(await server.ended, 1)
  })

  it('answers malformed JSON with -32700 and id null, and lives on', async () => {
    server.client.write('Content-Length: 9\r\n\r\n{"id": 1,')
    const { id, error } = await server.client.until('the error', answer => answer.id === null)
    assert.deepEqual([id, error?.code], [null, -32700])
    assert.notEqual((await initialize()).result, undefined)
  })

  it('answers bad headers with -32700 and ends', async () => {
    server.client.write('GET / HTTP/1.1\r\nHost: shop\r\n\r\n')
    const { error } = await server.client.until('the error', answer => answer.id === null)
    assert.equal(error?.code, -32700)
    assert.equal(await server.ended, 1)
  })

  it('refuses a Content-Length of 1 GiB at once', async () => {
    server.client.write(`Content-Length: ${2 ** 30}\r\n\r\n`)
    const { error } = await server.client.until('the error', answer => answer.id === null)
    assert.match(error?.message ?? '', /1073741824 bytes, the limit is 67108864 bytes/)
    assert.equal(await server.ended, 1)
  })

  it('understands headers that end in LF alone', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'lf', method: 'initialize', params: {} })
    server.client.write(`Content-Length: ${body.length}\n\n${body}`)
    await server.client.until('the answer', answer => answer.id === 'lf' && answer.error === undefined)
  })

  it('refuses a batch, an unknown method and an unknown field, each with its code', async () => {
    await initialize()
    const batch = '[{"jsonrpc":"2.0","id":1,"method":"listSessions"}]'
    server.client.write(`Content-Length: ${batch.length}\r\n\r\n${batch}`)
    const { error } = await server.client.until('the error', answer => answer.id === null)
    assert.equal(error?.code, -32600)
    const unknown = await server.client.ask('listTarget')
    assert.equal(unknown.error?.code, -32601)
    assert.match(unknown.error?.message ?? '', /did you mean "listTargets"\?/)
    const field = await server.client.ask('startSession', { target: 'process/1', taget: '' })
    assert.equal(field.error?.code, -32602)
    assert.match(
      field.error?.message ?? '',
      /taget: unknown field \(did you mean "target"\?\); the fields are target/,
    )
  })

  it('traces every message when asked, both ways, without the secrets in them, until told to stop', async () => {
    await initialize()
    server.client.send({ method: '$/setTrace', params: { value: 'verbose' } })
    const config = { feature: { env: { override: { KEY: 'a secret' } } } }
    await server.client.ask('startSession', { target: 'process/999999999', config })
    const lines = server.client.received
      .filter(({ method, params }) => method === 'window/logMessage' && params?.type === 4)
      .map(({ params }) => String(params?.message))
    assert.match(lines[0] ?? '', /^received startSession \(2\) \{"target":"process\/999999999"/)
    assert.ok(lines.some(line => line.startsWith('sent session/status {"sessionId":"s1"')))
    assert.match(lines.at(-1) ?? '', /^sent error \(2\) \{"code":1102/)
    assert.doesNotMatch(lines.join(), /a secret/)
    server.client.send({ method: '$/setTrace', params: { value: 'off' } })
    await server.client.ask('listSessions')
    assert.doesNotMatch(JSON.stringify(server.client.received), /listSessions/)
  })

  it('answers thousands of requests that were sent at once, each exactly once', async () => {
    await initialize()
    const ids = Array.from({ length: 5_000 }, (_, index) => `r${index}`)
    for (const id of ids) server.client.send({ id, method: 'listSessions' })
    await server.client.until('the last answer', ({ id }) => id === ids.at(-1))
    const answered = server.client.received.map(({ id }) => id)
    assert.equal(new Set(answered).size, ids.length - 1)
    assert.equal(answered.length, ids.length - 1)
  })
})

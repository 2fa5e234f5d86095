// The server on Unix sockets and ports: who is let in, and how it dials out.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RawClient, type RawServer, startRawServer } from '../stage/raw-server.ts'

const token = 'a secret of the test'
const withToken = { ...process.env, STANDIN_TOKEN: token }

async function dial(at: string | number): Promise<RawClient> {
  const socket = typeof at === 'string' ? connect(at) : connect(at, '127.0.0.1')
  await once(socket, 'connect')
  return new RawClient(socket, socket)
}

describe('the server on a socket', () => {
  let folder: string
  const servers: RawServer[] = []
  const start = (args: string[], environment: NodeJS.ProcessEnv = withToken) => {
    const server = startRawServer(args, environment)
    servers.push(server)
    return server
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'standin-test-'))
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.child.kill('SIGTERM')
      await server.ended
    }
    rmSync(folder, { recursive: true })
  })

  it('accepts on a Unix socket of mode 0600 with a token that it made, and removes the socket in the end', async () => {
    const path = join(folder, 'socket')
    const { STANDIN_TOKEN: _, ...without } = withToken
    const server = start([`--listen=unix:${path}`], without)
    const [line] = await server.untilErrors(/\{.*\}\n/)
    const said = JSON.parse(line)
    assert.equal(said.listening, `unix:${path}`)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const client = await dial(path)
    assert.notEqual((await client.ask('initialize', { token: said.token })).result, undefined)
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
    assert.equal(existsSync(path), false)
  })

  it('refuses a wrong and a missing token, closes that connection, and serves the next', async () => {
    const server = start(['--listen=tcp:0'])
    const [, port] = await server.untilErrors(/tcp:(\d+)/)
    for (const params of [{ token: 'wrong' }, {}]) {
      const stranger = await dial(Number(port))
      const { error } = await stranger.ask('initialize', params)
      assert.equal(error?.data.kind, 'token-wrong')
      await stranger.closed
    }
    const client = await dial(Number(port))
    assert.notEqual((await client.ask('initialize', { token })).result, undefined)
    assert.doesNotMatch(server.errors(), /secret of the test/)
  })

  it('serves one client at a time, tells a second one why not, and lets it in after the first', async () => {
    const server = start(['--listen=tcp:0'])
    const [, port] = await server.untilErrors(/tcp:(\d+)/)
    const first = await dial(Number(port))
    await first.ask('initialize', { token })
    const second = await dial(Number(port))
    const { error } = await second.until('the refusal', ({ id }) => id === null)
    assert.match(error?.message ?? '', /another client is connected/)
    await second.closed
    await first.ask('shutdown')
    first.send({ method: 'exit' })
    await first.closed
    const third = await dial(Number(port))
    assert.notEqual((await third.ask('initialize', { token })).result, undefined)
  })

  it('turns away who has not shown the token within 10 s, whatever else is said, and keeps who has', async () => {
    const listen = async () => Number((await start(['--listen=tcp:0']).untilErrors(/tcp:(\d+)/))[1])
    const ports = [await listen(), await listen(), await listen()] as const
    const sinceMs = performance.now()
    const [known, silent, talking] = [await dial(ports[0]), await dial(ports[1]), await dial(ports[2])]
    await known.ask('initialize', { token })
    assert.equal((await talking.ask('listSessions')).error?.code, -32002)
    await Promise.all([silent.closed, talking.closed])
    const ms = performance.now() - sinceMs
    assert.ok(ms > 9_500 && ms < 20_000, `turned away after ${ms} ms`)
    assert.equal((await known.ask('listSessions')).error, undefined)
    const next = await dial(ports[1])
    assert.notEqual((await next.ask('initialize', { token })).result, undefined)
  })

  it('takes the place of a server that was killed and left its socket file', async () => {
    const path = join(folder, 'socket')
    const killed = start([`--listen=unix:${path}`])
    await killed.untilErrors(/listening/)
    killed.child.kill('SIGKILL')
    await killed.ended
    assert.equal(existsSync(path), true)
    const server = start([`--listen=unix:${path}`])
    await server.untilErrors(/listening/)
    const other = start([`--listen=unix:${path}`])
    await other.untilErrors(/EADDRINUSE/)
    assert.equal(await other.ended, 2)
  })

  for (const kind of ['--pipe', '--socket'] as const) {
    it(`dials out with ${kind}, and ends with the connection`, async () => {
      const editor = createServer()
      editor.listen(kind === '--pipe' ? join(folder, 'editor') : { host: '127.0.0.1', port: 0 })
      await once(editor, 'listening')
      const address = editor.address() as string | { port: number }
      const server = start([`${kind}=${typeof address === 'string' ? address : address.port}`])
      const [socket] = (await once(editor, 'connection')) as [Socket]
      const client = new RawClient(socket, socket)
      assert.notEqual((await client.ask('initialize', { token })).result, undefined)
      socket.destroy()
      assert.equal(await server.ended, 1)
      editor.close()
    })
  }

  it('does not dial out without a secret', async () => {
    const { STANDIN_TOKEN: _, ...without } = withToken
    const server = start(['--socket=1'], without)
    await server.untilErrors(/STANDIN_TOKEN is not set.*\nstandin: fix: See "standin serve --help"\n/)
    assert.equal(await server.ended, 2)
  })
})

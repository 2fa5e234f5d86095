// A cluster behind a proxy: of the kubeconfig or the environment, over CONNECT and SOCKS, and what a proxy may do wrong.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttps } from 'node:https'
import { createServer as createTcp } from 'node:net'
import { WebSocketServer } from 'ws'
import { Failure } from '../../../protocol/errors.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { ApiStage, answerJson, ask, base64 } from './api-stage.ts'
import { connectProxy, socksProxy } from './proxy-stage.ts'

describe('a cluster behind a proxy', () => {
  let stage: ApiStage
  let port = 0
  /** A name that only the proxy knows. */
  const server = 'https://api.test:6443'
  before(() => {
    stage = new ApiStage()
  })
  after(() => stage.authority.remove())
  beforeEach(async () => {
    port = await stage.serve((_, response) => answerJson(response, 200, { items: [] }))
  })
  afterEach(() => stage.clear())

  const through = (proxy: string, more: object = {}) =>
    stage.client(0, {
      server,
      cluster: { 'certificate-authority-data': base64(stage.authority.ca), 'proxy-url': proxy },
      ...more,
    })

  async function fails(api: Api, says: RegExp): Promise<void> {
    const failure = await ask(api).then(
      () => assert.fail('it answered'),
      error => error,
    )
    assert.ok(failure instanceof Failure && failure.kind === 'cluster-proxy-failed', String(failure))
    assert.match(
      failure.message,
      /^Cannot reach cluster "https:\/\/api\.test:6443" through proxy "\w+:\/\/[\w.-]+:\d+": /,
    )
    assert.match(failure.message, says)
  }

  it('is reached through proxy-url by CONNECT, its name left to the proxy, its certificate checked by us', async () => {
    const proxy = connectProxy(port)
    const at = await stage.listen(proxy.server)
    assert.deepEqual(await ask(await through(`http://127.0.0.1:${at}`)), { items: [] })
    assert.deepEqual(proxy.asked, ['CONNECT api.test:6443'])
    const wrong = await stage.client(0, {
      server: 'https://other.test',
      cluster: {
        'certificate-authority-data': base64(stage.authority.ca),
        'proxy-url': `http://127.0.0.1:${at}`,
      },
    })
    await assert.rejects(ask(wrong), /its certificate is for 127\.0\.0\.1, api\.test, not for other\.test$/)
  })

  it('is asked over kept connections: one tunnel for requests in turn', async () => {
    const proxy = connectProxy(port)
    const api = await through(`http://127.0.0.1:${await stage.listen(proxy.server)}`)
    for (let i = 0; i < 3; i += 1) await ask(api)
    assert.equal(proxy.asked.length, 1)
  })

  it('gets the login of the proxy’s address', async () => {
    const proxy = connectProxy(port, { login: 'ada:p@ss' })
    const at = await stage.listen(proxy.server)
    await ask(await through(`http://ada:p%40ss@127.0.0.1:${at}`))
    await fails(await through(`http://127.0.0.1:${at}`), /the proxy asks for a login \(407\)$/)
  })

  it('is reached through a proxy that speaks TLS itself', async () => {
    const tls = stage.authority.issue({ cn: 'proxy', names: ['DNS:localhost'] })
    const proxy = connectProxy(port, { tls })
    const at = await stage.listen(proxy.server)
    await ask(await through(`https://localhost:${at}`))
    assert.deepEqual(proxy.asked, ['CONNECT api.test:6443'])
    await fails(await through(`https://127.0.0.1:${at}`), /IP: 127\.0\.0\.1 is not in the cert's list/)
    assert.equal(proxy.asked.length, 1)
  })

  it('is reached through HTTPS_PROXY, unless NO_PROXY exempts it', async () => {
    const proxy = connectProxy(port)
    const at = await stage.listen(proxy.server)
    const env = { HTTPS_PROXY: `127.0.0.1:${at}` }
    await ask(await stage.client(0, { server, env }))
    assert.deepEqual(proxy.asked, ['CONNECT api.test:6443'])
    const exempt = await stage.client(0, { server, env: { ...env, no_proxy: 'other,.test' } })
    await assert.rejects(ask(exempt), /no address is known for its name$/)
    const own = await stage.client(port, { env })
    await ask(own)
    assert.equal(proxy.asked.length, 1)
  })

  it('is reached through SOCKS 5, with and without a login', async () => {
    const open = socksProxy(port)
    await ask(await through(`socks5://127.0.0.1:${await stage.listen(open.server)}`))
    assert.deepEqual(open.asked, ['api.test:6443'])
    const locked = socksProxy(port, { login: 'ada:secret' })
    const at = await stage.listen(locked.server)
    await ask(await through(`socks5://ada:secret@127.0.0.1:${at}`))
    assert.deepEqual(locked.asked, ['api.test:6443 as ada:secret'])
    await fails(await through(`socks5://ada:wrong@127.0.0.1:${at}`), /: Socks5 Authentication failed$/)
  })

  it('opens WebSockets through it', async () => {
    const pair = stage.authority.issue({ cn: 'api', names: ['DNS:api.test'] })
    const https = createHttps(pair)
    const sockets = new WebSocketServer({ server: https })
    sockets.on('connection', socket => socket.on('message', data => socket.send(data)))
    const proxy = connectProxy(await stage.listen(https))
    const api = await through(`http://127.0.0.1:${await stage.listen(proxy.server)}`)
    const socket = await api.dial({
      path: '/x',
      protocols: [],
      signal: AbortSignal.timeout(10_000),
      asks: { verb: 'create', resource: 'pods/portforward' },
    })
    socket.send('hello')
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })
    assert.equal(String(answer), 'hello')
    assert.deepEqual(proxy.asked, ['CONNECT api.test:6443'])
    socket.close()
    await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  })

  it('is told apart from the proxy: one that refuses, has no name, or is silent', async () => {
    const at = await stage.listen(createTcp())
    stage.clear()
    await fails(await through(`http://127.0.0.1:${at}`), /: the proxy refused the connection$/)
    await fails(await through(`socks5://127.0.0.1:${at}`), /: the proxy refused the connection$/)
    await fails(
      await through('http://no-such-proxy.invalid:3128'),
      /no address is known for the name of the proxy$/,
    )
    const silent = await stage.listen(connectProxy(0, { answer: '' }).server)
    await fails(
      await through(`http://127.0.0.1:${silent}`, { connectTimeoutMs: 300 }),
      /it gave no connection in time$/,
    )
    const mute = await stage.listen(createTcp(() => {}))
    await fails(
      await through(`socks5://127.0.0.1:${mute}`, { connectTimeoutMs: 300 }),
      /it gave no connection in time$/,
    )
  })

  it('is told what the proxy answered, when that is no connection', async () => {
    const answering = async (answer: string) => {
      const proxy = connectProxy(0, { answer })
      return through(`http://127.0.0.1:${await stage.listen(proxy.server)}`)
    }
    await fails(
      await answering('HTTP/1.1 403 Forbidden by policy\r\n\r\n'),
      /the proxy answered 403 Forbidden by policy$/,
    )
    await fails(await answering('SSH-2.0-OpenSSH_9.2\r\n\r\n'), /answered something that is not HTTP$/)
    await fails(await answering('x'.repeat(100_000)), /answered something that is not HTTP$/)
    await fails(await answering('HTTP/1.1 200'), /the proxy closed the connection$/)
    const refusing = await stage.listen(socksProxy(0, { refuse: true }).server)
    await fails(await through(`socks5://127.0.0.1:${refusing}`), /ConnectionRefused/)
  })
})

// What a client of a cluster makes of answers: good ones, large ones, refusals, busy servers, and connections that end under it.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttps, type Server } from 'node:https'
import { gzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import { Failure } from '../../../protocol/errors.ts'
import { ChannelSocket } from '../../../server/kubernetes/channel/channel-socket.ts'
import { tunnelMessageBytes } from '../../../server/kubernetes/channel/tunnel-format.ts'
import { writeWholeFrames } from '../../../server/kubernetes/channel/whole-frames.ts'
import { channelFormat } from '../../../server/kubernetes/channel/wire-format.ts'
import { StatusError } from '../../../server/kubernetes/client/api.ts'
import { acceptedProtocol } from '../../../server/kubernetes/client/dial.ts'
import { type Answer, ApiStage, answerJson, answerStatus, ask, asks } from './api-stage.ts'

const signal = () => AbortSignal.timeout(20_000)

describe('the client of a cluster', () => {
  let stage: ApiStage
  before(() => {
    stage = new ApiStage()
  })
  after(() => stage.authority.remove())
  afterEach(() => stage.clear())

  /** A client of a server that gives these answers in turn, the last one for ever; and how often it was asked. */
  async function answering(...answers: Answer[]) {
    let asked = 0
    const port = await stage.serve((request, response) => {
      asked += 1
      answers[Math.min(asked, answers.length) - 1]?.(request, response)
    })
    return { api: await stage.client(port), asked: () => asked }
  }
  const status =
    (code: number, headers: Record<string, string> = {}): Answer =>
    (_, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      answerStatus(response, code, { message: `status ${code}` })
    }
  const good: Answer = (_, response) => answerJson(response, 200, { good: true })

  it('sends method, path, query, body and type as asked', async () => {
    const seen: unknown[] = []
    const { api } = await answering((request, response) => {
      let body = ''
      request.on('data', chunk => {
        body += chunk
      })
      request.on('end', () => {
        const { 'content-type': type, accept, 'user-agent': agent } = request.headers
        seen.push([request.method, request.url, type, accept, agent?.split('/')[0], body])
        answerJson(response, 200, {})
      })
    })
    const path = '/api/v1/namespaces/a%2Fb/pods'
    await api.request({
      method: 'POST',
      path,
      query: { dryRun: 'All', none: undefined },
      body: { a: 1 },
      signal: signal(),
      asks,
    })
    await api.request({ method: 'PATCH', path, body: [], signal: signal(), asks })
    await api.request({
      method: 'PATCH',
      path,
      body: [],
      contentType: 'application/json-patch+json',
      signal: signal(),
      asks,
    })
    assert.deepEqual(seen, [
      ['POST', `${path}?dryRun=All`, 'application/json', 'application/json', 'standin', '{"a":1}'],
      ['PATCH', path, 'application/strategic-merge-patch+json', 'application/json', 'standin', '[]'],
      ['PATCH', path, 'application/json-patch+json', 'application/json', 'standin', '[]'],
    ])
  })

  it('puts the path of the server before its own, as for Rancher', async () => {
    let url: string | undefined
    const port = await stage.serve((request, response) => {
      url = request.url
      answerJson(response, 200, {})
    })
    await ask(await stage.client(port, { server: `https://127.0.0.1:${port}/k8s/clusters/c-1/` }))
    assert.equal(url, '/k8s/clusters/c-1/api/v1/namespaces/shop/pods')
  })

  it('reads large and compressed answers whole', async () => {
    const items = Array.from({ length: 50_000 }, (_, index) => ({ name: `pod-${index}-ü` }))
    const { api } = await answering((request, response) => {
      assert.equal(request.headers['accept-encoding'], 'gzip')
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
      response.end(gzipSync(JSON.stringify({ items })))
    })
    assert.deepEqual(await ask(api), { items })
  })

  it('refuses a compressed answer that was cut', async () => {
    const { api } = await answering((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
      response.end(gzipSync(JSON.stringify({ a: 'b'.repeat(10_000) })).subarray(0, 40))
    })
    await assert.rejects(ask(api), /Cannot reach cluster .*: unexpected end of file/)
  })

  it('asks a busy server again, after the time that it states, and gives up after four tries', async () => {
    const busy = await answering(status(503), status(429, { 'Retry-After': '1' }), good)
    const startedMs = performance.now()
    assert.deepEqual(await ask(busy.api), { good: true })
    assert.ok(performance.now() - startedMs >= 1_400)
    const hopeless = await answering(status(500))
    await assert.rejects(
      ask(hopeless.api),
      /Cannot list pods in namespace "shop": the cluster answered 500 \(status 500\)/,
    )
    assert.equal(hopeless.asked(), 4)
  }).timeout(20_000)

  it('does not send what changes something twice', async () => {
    const { api, asked } = await answering(status(503), good)
    await assert.rejects(
      api.request({
        method: 'POST',
        path: '/x',
        body: {},
        signal: signal(),
        asks: { verb: 'create', resource: 'pods' },
      }),
      /Cannot create pods in the whole cluster: the cluster answered 503/,
    )
    assert.equal(asked(), 1)
  })

  it('leaves 404 and its like to the caller, and does not ask again', async () => {
    const { api, asked } = await answering(status(404))
    await assert.rejects(ask(api), error => error instanceof StatusError && error.status === 404)
    assert.equal(asked(), 1)
  })

  it('says when something else than Kubernetes answers, with success or without', async () => {
    const page: Answer = (_, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html><title>Sign in</title></html>')
    await assert.rejects(
      ask((await answering(page)).api),
      /answered 200 \(a web page "Sign in" and not Kubernetes/,
    )
    const elsewhere: Answer = (_, response) =>
      response.writeHead(302, { Location: 'https://login.test/' }).end()
    await assert.rejects(
      ask((await answering(elsewhere)).api),
      /answered 302 \(it points to "https:\/\/login\.test\/"/,
    )
  })

  it('asks again when a kept connection was closed at the moment of its use', async () => {
    let connections = 0
    const pair = stage.authority.issue({ cn: 'api', names: ['IP:127.0.0.1'] })
    const server: Server = createHttps(pair, (request, response) => {
      // The first connection answers once, and is cut when it is used again.
      const socket = request.socket as typeof request.socket & { used?: boolean }
      if (connections === 1 && socket.used) return request.socket.destroy()
      socket.used = true
      return answerJson(response, 200, { connections })
    })
    server.on('secureConnection', () => {
      connections += 1
    })
    const api = await stage.client(await stage.listen(server))
    assert.deepEqual(await ask(api), { connections: 1 })
    assert.deepEqual(await ask(api), { connections: 2 })
  })

  it('uses one connection for requests in turn', async () => {
    const ports = new Set<number | undefined>()
    const { api } = await answering((request, response) => {
      ports.add(request.socket.remotePort)
      answerJson(response, 200, {})
    })
    for (let i = 0; i < 5; i += 1) await ask(api)
    assert.equal(ports.size, 1)
  })

  it('ends a request at once when its signal aborts, with the reason of the signal', async () => {
    const { api } = await answering(() => {})
    const controller = new AbortController()
    const asking = ask(api, { signal: controller.signal })
    setImmediate(() => controller.abort(new Error('not wanted any more')))
    await assert.rejects(asking, /not wanted any more/)
    await assert.rejects(
      ask(api, { signal: AbortSignal.abort(new Error('before it began')) }),
      /before it began/,
    )
  })

  it('streams an answer as it comes, and ends it with the signal and with the client', async () => {
    for (const end of ['abort', 'close'] as const) {
      const { api } = await answering((_, response) => response.writeHead(200).write('first\n'))
      const controller = new AbortController()
      const stream = await api.stream({ path: '/log', signal: controller.signal, asks, timeoutMs: 500 })
      const [first] = await once(stream, 'data', { signal: signal() })
      assert.equal(String(first), 'first\n')
      const closed = new Promise(resolve => stream.once('close', resolve))
      if (end === 'abort') controller.abort(new Error('enough'))
      else api.close()
      await closed
    }
  })

  it('fails what is under way, and what comes after, when it is closed', async () => {
    const { api } = await answering(() => {})
    const asking = ask(api)
    setTimeout(() => api.close(), 50)
    const cancelled = (error: unknown) => error instanceof Failure && error.kind === 'cancelled'
    await assert.rejects(asking, cancelled)
    await assert.rejects(ask(api), cancelled)
  })

  describe('as a WebSocket', () => {
    const dialled = { path: '/x', asks: { verb: 'create', resource: 'pods/portforward', namespace: 'shop' } }
    async function serveSockets(options: object = {}): Promise<{ server: WebSocketServer; port: number }> {
      const https = createHttps(stage.authority.issue({ cn: 'api', names: ['IP:127.0.0.1'] }))
      const server = new WebSocketServer({ server: https, ...options })
      return { server, port: await stage.listen(https) }
    }

    for (const chosen of ['SPDY/3.1+portforward.k8s.io', 'v4.channel.k8s.io'])
      it(`asks for Kubernetes' names of protocols as they are, and knows that "${chosen}" was chosen`, async () => {
        const https = createHttps(stage.authority.issue({ cn: 'api', names: ['IP:127.0.0.1'] }))
        let wanted: string | undefined
        https.on('upgrade', (request, socket) => {
          wanted = request.headers['sec-websocket-protocol']
          // RFC 6455 section 4.2.2.
          const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
          const accept = createHash('sha1').update(key).digest('base64')
          const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
          const rest = [`Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${chosen}`, '', '']
          socket.write([...head, ...rest].join('\r\n'))
        })
        const api = await stage.client(await stage.listen(https))
        const protocols = ['SPDY/3.1+portforward.k8s.io', 'v4.channel.k8s.io']
        const socket = await api.dial({ ...dialled, protocols, signal: signal() })
        assert.equal(wanted, protocols.join(','))
        assert.equal(acceptedProtocol(socket), chosen)
        socket.terminate()
      })

    it('holds the messages that come before somebody listens, and sends the headers of the user', async () => {
      const { server, port } = await serveSockets()
      let authorization: string | undefined
      server.on('connection', (socket, request) => {
        authorization = request.headers.authorization
        for (const text of ['one', 'two', 'three']) socket.send(text)
      })
      const api = await stage.client(port)
      const socket = await api.dial({ ...dialled, protocols: ['v4.channel.k8s.io'], signal: signal() })
      assert.equal(socket.protocol, 'v4.channel.k8s.io')
      // Long after they came.
      await new Promise(resolve => setTimeout(resolve, 200))
      const got: string[] = []
      await new Promise<void>(resolve =>
        socket.on('message', data => {
          got.push(String(data))
          if (got.length === 3) resolve()
        }),
      )
      assert.deepEqual(got, ['one', 'two', 'three'])
      assert.equal(authorization, 'Bearer abc')
    })

    it('carries large messages of a channel over TLS, each in one buffer with its head', async () => {
      const { server, port } = await serveSockets()
      const [sent, received] = [createHash('sha256'), createHash('sha256')]
      const messages = 300
      const all = new Promise<void>((resolve, reject) => {
        const late = AbortSignal.timeout(20_000)
        late.addEventListener('abort', () => reject(new Error('not all messages came within 20 s')))
        let count = 0
        server.on('connection', socket =>
          socket.on('message', data => {
            received.update(data as Buffer)
            if (++count === messages) resolve()
          }),
        )
      })
      const api = await stage.client(port)
      let apart = 0
      const ws = await api.dial({
        ...{ ...dialled, protocols: ['v4.channel.k8s.io'], signal: signal() },
        onConnection(connection) {
          const writev = connection._writev!.bind(connection)
          connection._writev = (chunks, done) => {
            apart += 1
            writev(chunks, done)
          }
          writeWholeFrames(connection)
        },
      })
      // So large that each waits until the one before has gone.
      const channel = new ChannelSocket(ws, { ...channelFormat, messageBytes: tunnelMessageBytes })
      channel.start({ message() {}, ended() {}, reachable: async () => true })
      for (let message = 0; message < messages; message++) {
        const bytes = randomBytes(tunnelMessageBytes - message)
        sent.update(Buffer.of(0)).update(bytes)
        await new Promise<void>((resolve, reject) =>
          channel.send(0, [bytes], error => (error === undefined ? resolve() : reject(error))),
        )
      }
      await all
      assert.equal(received.digest('hex'), sent.digest('hex'))
      assert.equal(apart, 0)
      await new Promise<void>(resolve => channel.close(resolve))
    })

    it('is refused with the Status of the cluster, like a request', async () => {
      const refusing = await stage.serve(status(404))
      const api = await stage.client(refusing)
      await assert.rejects(
        api.dial({ ...dialled, protocols: [], signal: signal() }),
        error => error instanceof StatusError && error.status === 404 && error.message === 'status 404',
      )
      const unauthorized = await stage.client(await stage.serve(status(401)))
      await assert.rejects(
        unauthorized.dial({ ...dialled, protocols: [], signal: signal() }),
        /Cannot log in to cluster/,
      )
    })

    it('of a server that knows none of its protocols fails', async () => {
      const { port } = await serveSockets({ handleProtocols: () => false })
      const api = await stage.client(port)
      await assert.rejects(
        api.dial({ ...dialled, protocols: ['v4.channel.k8s.io'], signal: signal() }),
        /subprotocol/,
      )
    })

    it('ends with the client, and its opening with the signal', async () => {
      const { port } = await serveSockets()
      const api = await stage.client(port)
      const socket = await api.dial({ ...dialled, protocols: [], signal: signal() })
      const closed = once(socket, 'close', { signal: signal() })
      api.close()
      await closed
      const mute = await stage.client(await stage.serve(() => {}))
      const opening = mute.dial({ ...dialled, protocols: [], signal: AbortSignal.timeout(100) })
      await assert.rejects(opening, /aborted due to timeout/)
    })
  })
})

// What a client of a cluster trusts, and the sentence for each way of not getting through to it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer as createTcp } from 'node:net'
import { join } from 'node:path'
import type { ErrorKind } from '../../../protocol/errors.ts'
import { Failure } from '../../../protocol/errors.ts'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { ApiStage, answerJson, answerStatus, ask, base64, serverNameOf } from './api-stage.ts'

describe('a cluster', () => {
  let stage: ApiStage
  before(() => {
    stage = new ApiStage()
  })
  after(() => stage.authority.remove())
  afterEach(() => stage.clear())

  async function fails(api: Api, kind: ErrorKind, says: RegExp): Promise<void> {
    const failure = await ask(api).then(
      () => assert.fail('it answered'),
      (error: unknown) => error,
    )
    assert.ok(failure instanceof Failure, String(failure))
    assert.equal(failure.kind, kind, failure.message)
    assert.match(failure.message, says)
    assert.ok(!/\{\w+\}/.test(failure.message + failure.data.fix), failure.message)
  }

  it('is trusted by the authority of the kubeconfig, in it or in a file', async () => {
    const port = await stage.serve((_, response) => answerJson(response, 200, { items: [] }))
    assert.deepEqual(await ask(await stage.client(port)), { items: [] })
    const file = join(stage.authority.folder, 'authority.pem')
    writeFileSync(file, stage.authority.ca)
    assert.deepEqual(await ask(await stage.client(port, { cluster: { 'certificate-authority': file } })), {
      items: [],
    })
  })

  it('is trusted by what this machine trusts, when the kubeconfig names no authority', async () => {
    const port = await stage.serve((_, response) => answerJson(response, 200, { items: [] }))
    const file = join(stage.authority.folder, 'machine.pem')
    writeFileSync(file, stage.authority.ca)
    const env = { SSL_CERT_FILE: file }
    assert.deepEqual(await ask(await stage.client(port, { cluster: {}, env })), { items: [] })
  })

  it('by address is sent no name; with tls-server-name that name is sent and checked', async () => {
    const port = await stage.serve((request, response) =>
      answerJson(response, 200, { name: serverNameOf(request) || 'none' }),
    )
    assert.deepEqual(await ask(await stage.client(port)), { name: 'none' })
    const cluster = (name: string) => ({
      'certificate-authority-data': base64(stage.authority.ca),
      'tls-server-name': name,
    })
    assert.deepEqual(await ask(await stage.client(port, { cluster: cluster('api.test') })), {
      name: 'api.test',
    })
    const wrong = /its certificate is for 127\.0\.0\.1, api\.test, not for other\.test$/
    await fails(await stage.client(port, { cluster: cluster('other.test') }), 'cluster-untrusted', wrong)
  })

  it('of an unknown authority is not trusted, unless the kubeconfig skips the check', async () => {
    const port = await stage.serve((_, response) => answerJson(response, 200, { items: [] }))
    const wrong = /not signed by an authority that is trusted/
    await fails(await stage.client(port, { cluster: {} }), 'cluster-untrusted', wrong)
    const cluster = { 'insecure-skip-tls-verify': true }
    assert.deepEqual(await ask(await stage.client(port, { cluster })), { items: [] })
  })

  it('gets no byte of ours before it is trusted', async () => {
    let asked = 0
    const port = await stage.serve((_, response) => {
      asked += 1
      answerJson(response, 200, {})
    })
    await assert.rejects(ask(await stage.client(port, { cluster: {} })))
    await assert.rejects(
      (await stage.client(port, { cluster: {} })).dial({
        path: '/x',
        protocols: ['v4.channel.k8s.io'],
        signal: AbortSignal.timeout(10_000),
        asks: { verb: 'create', resource: 'pods/portforward' },
      }),
      /not signed by an authority that is trusted/,
    )
    assert.equal(asked, 0)
  })

  it('whose certificate has expired, or is not valid yet, is told apart by the clock of this machine', async () => {
    const names = ['IP:127.0.0.1']
    const past = await stage.serve(
      () => {},
      stage.authority.issue({ cn: 'api', names, fromDay: -9, toDay: -2 }),
    )
    await fails(
      await stage.client(past),
      'cluster-certificate-expired',
      /the cluster's has expired, by this machine's clock \(20/,
    )
    const future = await stage.serve(
      () => {},
      stage.authority.issue({ cn: 'api', names, fromDay: 2, toDay: 9 }),
    )
    await fails(await stage.client(future), 'cluster-certificate-expired', /the cluster's is not valid yet/)
  })

  it('that refuses, has no name, or is silent is told apart', async () => {
    const port = await stage.listen(createTcp())
    stage.clear()
    await fails(
      await stage.client(port),
      'cluster-refused',
      /"https:\/\/127\.0\.0\.1:\d+": the connection was refused$/,
    )
    const nameless = await stage.client(0, { server: 'https://no-such-host.invalid:6443' })
    await fails(nameless, 'cluster-name-unknown', /no address is known for its name$/)
    const silent = await stage.listen(createTcp(() => {}))
    await fails(
      await stage.client(silent, { connectTimeoutMs: 300 }),
      'cluster-silent',
      /no answer within 1 s$/,
    )
  })

  it('that takes a request and never answers is silent after the time of the request', async () => {
    const api = await stage.client(await stage.serve(() => {}))
    await assert.rejects(ask(api, { timeoutMs: 200 }), /Cannot reach cluster .*: no answer within 1 s$/)
  })

  it('that speaks plain HTTP at an https address, or TLS at an http one, is told apart', async () => {
    const plain = await stage.servePlain((_, response) => answerJson(response, 200, {}))
    await fails(
      await stage.client(plain),
      'cluster-unreachable',
      /it does not speak TLS; is it an "http:\/\/" address\?$/,
    )
    const tls = await stage.serve((_, response) => answerJson(response, 200, {}))
    const api = await stage.client(tls, { server: `http://127.0.0.1:${tls}` })
    await fails(api, 'cluster-unreachable', /it closed the connection without an answer/)
  })

  it('at an http address is asked without TLS, as "kubectl proxy" serves it', async () => {
    const port = await stage.servePlain((_, response) => answerJson(response, 200, { items: [] }))
    assert.deepEqual(await ask(await stage.client(port, { server: `http://127.0.0.1:${port}`, user: {} })), {
      items: [],
    })
  })

  it('that hangs up in the handshake, or in the middle of its answer, is unreachable', async () => {
    const rude = await stage.listen(createTcp(socket => socket.once('data', () => socket.destroy())))
    await fails(
      await stage.client(rude),
      'cluster-unreachable',
      /it closed the connection without an answer$/,
    )
    const half = await stage.serve((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('{"items":')
      setImmediate(() => response.destroy())
    })
    await fails(await stage.client(half), 'cluster-unreachable', /it closed the connection/)
  })

  it('that does not accept an expired client certificate is told with its date, by 401 or by TLS', async () => {
    const { cert, key } = stage.authority.issue({ cn: 'ada', fromDay: -9, toDay: -2 })
    const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }
    const says =
      /Cannot use certificate for cluster .*: the client certificate of user "ada" expired at 20\S+Z$/
    const lax = { requestCert: true, rejectUnauthorized: false, ca: stage.authority.ca }
    const by401 = await stage.serve((_, response) => answerStatus(response, 401), lax)
    await fails(await stage.client(by401, { user }), 'cluster-certificate-expired', says)
    const byTls = await stage.serveStrictly()
    await fails(await stage.client(byTls, { user }), 'cluster-certificate-expired', says)
  })

  it('judges a client certificate itself: one that has expired by our clock alone is used', async () => {
    const { cert, key } = stage.authority.issue({ cn: 'ada', fromDay: -9, toDay: -2 })
    const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }
    const port = await stage.serve((_, response) => answerJson(response, 200, { items: [] }))
    assert.deepEqual(await ask(await stage.client(port, { user })), { items: [] })
  })

  it('is not asked with a key that does not belong to its certificate, or with half of the pair', async () => {
    const [a, b] = [stage.authority.issue({ cn: 'ada' }), stage.authority.issue({ cn: 'bob' })]
    const user = { 'client-certificate-data': base64(a.cert), 'client-key-data': base64(b.key) }
    const port = await stage.serve((_, response) => answerJson(response, 200, {}))
    await fails(
      await stage.client(port, { user }),
      'kubeconfig-invalid',
      /a certificate or key in it cannot be used/,
    )
    const half = { 'client-certificate-data': base64(a.cert) }
    await assert.rejects(
      stage.client(port, { user: half }),
      /a user has a client-certificate and no client-key$/,
    )
  })
})

// A watch over connections that end, break, fall silent or expire: nothing is lost, nothing comes twice.
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure } from '../../../protocol/errors.ts'
import type { Api, KubeObject, WatchEvent } from '../../../server/kubernetes/client/api.ts'
import { ApiStage, answerJson, answerStatus, asks } from './api-stage.ts'

type Asked = {
  watch: boolean
  from: string | null
  timeout: string | null
  response: ServerResponse
  request: IncomingMessage
}

const pod = (name: string, resourceVersion: string, uid = name) => ({
  metadata: { name, namespace: 'shop', uid, resourceVersion },
})
const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`
const list = (response: ServerResponse, version: string, ...items: object[]) =>
  answerJson(response, 200, { metadata: { resourceVersion: version }, items })

describe('a watch', () => {
  let stage: ApiStage
  let asked: Asked[]
  before(() => {
    stage = new ApiStage()
  })
  after(() => stage.authority.remove())
  afterEach(() => stage.clear())

  /** A client of a server that answers the questions in turn. */
  async function answering(...answers: ((asked: Asked) => void)[]): Promise<Api> {
    asked = []
    const port = await stage.serve((request, response) => {
      const query = new URL(request.url ?? '', 'https://x').searchParams
      const watch = query.get('watch') === 'true'
      asked.push({
        watch,
        from: query.get('resourceVersion'),
        timeout: query.get('timeoutSeconds'),
        response,
        request,
      })
      const answer = answers[asked.length - 1]
      if (answer === undefined) response.writeHead(200)
      else answer(asked.at(-1)!)
    })
    return stage.client(port)
  }

  /** The first events, as "TYPE name@version"; the watch is ended then. */
  async function take(
    api: Api,
    count: number,
    more: { from?: string; silenceMs?: number } = {},
  ): Promise<string[]> {
    const controller = new AbortController()
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(20_000)])
    const events: string[] = []
    const query = more.from === undefined ? {} : { resourceVersion: more.from }
    const request = { path: '/api/v1/namespaces/shop/pods', query, signal, asks }
    const watch = api.watch({
      ...request,
      ...(more.silenceMs === undefined ? {} : { silenceMs: more.silenceMs }),
    })
    for await (const event of watch) {
      events.push(told(event))
      if (events.length === count) controller.abort()
    }
    assert.equal(events.length, count, `${events.join(', ')} came within 20 s`)
    return events
  }
  const told = ({ type, object }: WatchEvent<KubeObject>) =>
    `${type} ${object.metadata?.name}@${object.metadata?.resourceVersion}`

  it('tells what there is, then what happens, from the version of the list on', async () => {
    const api = await answering(
      ({ response }) => list(response, '10', pod('a', '3')),
      ({ response }) =>
        response.writeHead(200).write(line('ADDED', pod('b', '11')) + line('DELETED', pod('a', '12'))),
    )
    assert.deepEqual(await take(api, 3), ['ADDED a@3', 'ADDED b@11', 'DELETED a@12'])
    assert.deepEqual(
      asked.map(({ watch, from }) => [watch, from]),
      [
        [false, null],
        [true, '10'],
      ],
    )
  })

  it('that was given a version begins there', async () => {
    const api = await answering(({ response }) =>
      response.writeHead(200).write(line('MODIFIED', pod('a', '8'))),
    )
    assert.deepEqual(await take(api, 1, { from: '7' }), ['MODIFIED a@8'])
    assert.deepEqual(
      asked.map(({ watch, from }) => [watch, from]),
      [[true, '7']],
    )
  })

  it('goes on behind the last event when the server ends its answer, or a bookmark when that came later', async () => {
    const api = await answering(
      ({ response }) => list(response, '10'),
      ({ response }) => response.writeHead(200).end(line('ADDED', pod('a', '11'))),
      ({ response }) => response.writeHead(200).end(line('BOOKMARK', pod('', '15'))),
      ({ response }) => response.writeHead(200).write(line('MODIFIED', pod('a', '16'))),
    )
    assert.deepEqual(await take(api, 3), ['ADDED a@11', 'BOOKMARK @15', 'MODIFIED a@16'])
    assert.deepEqual(
      asked.map(({ from }) => from),
      [null, '10', '11', '15'],
    )
  })

  it('that is cut in the middle of an event gets that event again, whole and once', async () => {
    const event = line('ADDED', pod('b', '12'))
    const api = await answering(
      ({ response }) => list(response, '10'),
      ({ response }) => {
        response.writeHead(200).write(line('ADDED', pod('a', '11')) + event.slice(0, 25))
        setTimeout(() => response.destroy(), 30)
      },
      ({ response }) => response.writeHead(200).write(event),
    )
    assert.deepEqual(await take(api, 2), ['ADDED a@11', 'ADDED b@12'])
    assert.deepEqual(
      asked.map(({ from }) => from),
      [null, '10', '11'],
    )
  })

  it('that falls silent is made again in time, and its old connection is closed', async () => {
    const closed: Promise<void>[] = []
    const api = await answering(
      ({ response }) => list(response, '10'),
      ({ response }) => {
        response.writeHead(200).flushHeaders()
        closed.push(new Promise(resolve => response.once('close', resolve)))
      },
      ({ response }) => response.writeHead(200).write(line('ADDED', pod('a', '11'))),
    )
    const startedMs = performance.now()
    assert.deepEqual(await take(api, 1, { silenceMs: 600 }), ['ADDED a@11'])
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs >= 600 && tookMs < 5_000, `${tookMs} ms`)
    await Promise.all(closed)
    assert.equal(closed.length, 1)
  })

  it('asks the server to end each connection before it would seem silent', async () => {
    const api = await answering(
      ({ response }) => list(response, '10'),
      ({ response }) => response.writeHead(200).write(line('ADDED', pod('a', '11'))),
    )
    await take(api, 1, { silenceMs: 30_000 })
    assert.equal(asked[1]?.timeout, '20')
  })

  for (const [how, expire] of [
    [
      'as an answer',
      ({ response }: Asked) => answerStatus(response, 410, { reason: 'Expired', message: 'too old' }),
    ],
    [
      'as an event',
      ({ response }: Asked) =>
        response
          .writeHead(200)
          .end(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })),
    ],
  ] as const)
    it(`whose version has expired (410 ${how}) tells the difference that it missed`, async () => {
      const api = await answering(
        ({ response }) => list(response, '10', pod('gone', '1'), pod('same', '2'), pod('changed', '3')),
        expire,
        ({ response }) => list(response, '90', pod('same', '2'), pod('changed', '80'), pod('made', '70')),
        ({ response }) => response.writeHead(200).write(line('DELETED', pod('made', '91'))),
      )
      assert.deepEqual((await take(api, 7)).slice(3), [
        'DELETED gone@1',
        'MODIFIED changed@80',
        'ADDED made@70',
        'DELETED made@91',
      ])
      assert.deepEqual(
        asked.map(({ watch, from }) => [watch, from]),
        [
          [false, null],
          [true, '10'],
          [false, null],
          [true, '90'],
        ],
      )
    })

  it('lives through a server that is busy, gone, and back', async () => {
    const api = await answering(
      ({ response }) => list(response, '10'),
      ({ response }) =>
        response.writeHead(200).end(line('ERROR', { kind: 'Status', code: 500, message: 'etcd is away' })),
      ({ request }) => request.socket.destroy(),
      ({ response }) => response.writeHead(200).end('no event\n'),
      ({ response }) => response.writeHead(200).write(line('ADDED', pod('a', '11'))),
    )
    assert.deepEqual(await take(api, 1), ['ADDED a@11'])
    assert.ok(asked.slice(1).every(({ watch, from }) => watch && from === '10'))
  })

  it('lists again when the server keeps refusing to go on from its version, as one restored from a backup', async () => {
    const tooLarge = ({ response }: Asked) =>
      response
        .writeHead(200)
        .end(line('ERROR', { kind: 'Status', code: 504, message: 'Too large resource version' }))
    const api = await answering(
      ({ response }) => list(response, '1000', pod('a', '900')),
      ...Array.from({ length: 5 }, () => tooLarge),
      ({ response }) => list(response, '50', pod('a', '40')),
    )
    assert.deepEqual(await take(api, 2), ['ADDED a@900', 'MODIFIED a@40'])
  })

  it('does not ask a server in a loop that ends each answer at once', async () => {
    const api = await answering(
      ({ response }) => list(response, '10'),
      ...Array.from(
        { length: 200 },
        () =>
          ({ response }: Asked) =>
            response.writeHead(200).end(),
      ),
    )
    const signal = AbortSignal.timeout(1_500)
    const watch = api.watch({ path: '/api/v1/pods', signal, asks })
    for await (const event of watch) assert.fail(told(event))
    assert.ok(asked.length > 3 && asked.length < 20, `${asked.length} questions`)
  })

  it('ends with what does not pass by itself: a permission that is missing, at the beginning or later', async () => {
    const denied = ({ response, watch }: Asked) =>
      answerStatus(response, 403, {
        message: `pods is forbidden: User "ada" cannot ${watch ? 'watch' : 'list'} resource "pods" in API group "" in the namespace "shop"`,
      })
    const forbidden = (verb: string) => (error: unknown) =>
      error instanceof Failure &&
      error.kind === 'cluster-forbidden' &&
      error.message.startsWith(`Cannot ${verb} pods`)
    await assert.rejects(take(await answering(denied), 1), forbidden('list'))
    await assert.rejects(
      take(await answering(({ response }) => list(response, '10'), denied), 1),
      forbidden('watch'),
    )
  })

  it('that never began tells why, and does not try for ever', async () => {
    const api = await stage.client(await stage.serve(() => {}), { server: 'https://127.0.0.1:1' })
    await assert.rejects(take(api, 1), error => error instanceof Failure && error.kind === 'cluster-refused')
  })

  it('waits while its reader is busy, without counting that as silence, and ends when its reader leaves', async () => {
    let closed: Promise<void> | undefined
    const api = await answering(
      ({ response }) => list(response, '10'),
      ({ response }) => {
        closed = new Promise(resolve => response.once('close', resolve))
        response.writeHead(200).write(line('ADDED', pod('a', '11')) + line('ADDED', pod('b', '12')))
      },
    )
    const events: string[] = []
    const request = { path: '/api/v1/pods', signal: AbortSignal.timeout(20_000), asks, silenceMs: 300 }
    for await (const event of api.watch(request)) {
      events.push(told(event))
      if (events.length === 2) break
      await new Promise(resolve => setTimeout(resolve, 700)) // how long the reader is busy: longer than silenceMs
    }
    assert.deepEqual(events, ['ADDED a@11', 'ADDED b@12'])
    assert.equal(asked.length, 2)
    await closed
  })
})

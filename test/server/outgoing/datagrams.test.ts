// UDP sockets of processes at the server: outlets for their peers, streams to the agent, and what becomes of both.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { DialUdp } from '../../../protocol/agent/control.ts'
import type { Endpoint } from '../../../protocol/codec.ts'
import {
  type Datagram,
  DatagramReader,
  encodeDatagram,
  encodeDatagramError,
} from '../../../protocol/link/datagrams.ts'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'
import type { NameTalk } from '../../../server/outgoing/datagram-socket.ts'
import { type DatagramCallAnswer, Datagrams } from '../../../server/outgoing/datagrams.ts'
import { Mailbox } from '../../stage/mailbox.ts'

const peer = { address: '198.51.100.7', port: 53 }
const other = { address: '198.51.100.7', port: 4_000 }
const local = { address: '10.1.2.3', port: 50_000 }

class FakeStream {
  events: LinkStream['events']
  /** What the link has not taken, and how often that was asked. */
  waiting = 0
  readonly looks = new Mailbox<number>()
  readonly sent = new Mailbox<Datagram>()
  readonly over: string[] = []
  readonly #reader = new DatagramReader()
  constructor(
    readonly id: number,
    readonly payload: DialUdp,
  ) {}
  get queuedBytes(): number {
    this.looks.add(this.waiting)
    return this.waiting
  }
  write({ bytes }: { bytes: Buffer }): void {
    for (const one of this.#reader.read(bytes)) this.sent.add(one)
  }
  end(): void {
    this.over.push('end')
  }
  reset(reason: string): void {
    this.over.push(reason)
  }
  grant(): void {}
}

describe('Datagrams', () => {
  let process: Socket
  let streams: Mailbox<FakeStream>
  let notices: string[]
  let datagrams: Datagrams
  let isAttached: boolean
  let from: Endpoint
  let names: NameTalk | undefined
  let seen: string[]
  const events = { added: new Mailbox<Endpoint>(), letGo: () => {}, refused: 0 }
  beforeEach(async () => {
    isAttached = true
    notices = []
    names = undefined
    seen = []
    streams = new Mailbox()
    events.refused = 0
    datagrams = new Datagrams({
      open(payload) {
        if (!isAttached) return undefined
        const stream = new FakeStream(2 * streams.all.length + 1, payload)
        streams.add(stream)
        return stream as unknown as LinkStream
      },
      onNotice: text => void notices.push(text),
      talkTo: ({ port }) => (port === 53 ? names : undefined),
      viewFlow({ to, rule, local }) {
        const tell = (what: string) => void seen.push(`${to.port} ${what}`)
        tell(`${rule}${local === undefined ? '' : ` from ${local.address}`}`)
        return {
          failed: ({ errno }) => tell(`failed ${errno}`),
          sent: bytes => tell(`sent ${bytes}`),
          received: bytes => tell(`received ${bytes}`),
          lost: () => tell('lost'),
          undelivered: errno => tell(`undelivered ${errno}`),
          over: () => tell('over'),
        }
      },
    })
    process = createSocket('udp4')
    process.bind(0, '127.0.0.1')
    await once(process, 'listening')
    from = { address: '127.0.0.1', port: process.address().port }
  })
  afterEach(() => {
    datagrams.gone('p1')
    process.close()
  })

  function ask(
    to: readonly Endpoint[],
    { connects = false, socket = '7.1' } = {},
  ): Promise<DatagramCallAnswer> {
    return new Promise(answer => {
      void datagrams.ask({
        ...{ process: 'p1', socket, from, to, connects, answer, rules: to.map(() => 'a rule') },
        added: ({ at }) => {
          events.added.add(at)
          return new Promise(resolve => {
            events.letGo = resolve
          })
        },
        refused: () => {
          events.refused += 1
          return new Promise(resolve => {
            events.letGo = resolve
          })
        },
      })
    })
  }

  const outletOf = (answer: DatagramCallAnswer, index = 0): Endpoint => {
    assert.ok('outlets' in answer, JSON.stringify(answer))
    return answer.outlets[index]!.at
  }
  const say = (text: string, at: Endpoint) => process.send(text, at.port, at.address)
  const next = (stream: FakeStream) => stream.sent.take('datagram', () => true)
  const hear = () => once(process, 'message').then(([said, { port }]) => [String(said), port])
  const opened = () => streams.take('stream', () => true)

  it('carry what a process sends to its peers on one stream, and the answers of each from its outlet', async () => {
    const answer = await ask([peer, other])
    assert.equal(streams.all.length, 0)
    say('one', outletOf(answer))
    const stream = await opened()
    assert.deepEqual(stream.payload, { dial: 'udp' })
    assert.deepEqual((await next(stream)).peer, peer)
    say('two', outletOf(answer, 1))
    const { peer: to, payload } = await next(stream)
    assert.deepEqual([to, String(payload)], [other, 'two'])
    const heard = hear()
    stream.events!.data({ bytes: encodeDatagram(other, Buffer.from('answer')) })
    assert.deepEqual(await heard, ['answer', outletOf(answer, 1).port])
    assert.deepEqual(outletOf(await ask([peer])), outletOf(answer))
  })

  it('hold back a peer that nobody sent to until the process would see it', async () => {
    say('one', outletOf(await ask([peer])))
    const stream = await opened()
    const heard = hear()
    for (const text of ['first', 'second'])
      stream.events!.data({ bytes: encodeDatagram(other, Buffer.from(text)) })
    const at = await events.added.take('the peer', () => true)
    process.send('meanwhile', from.port, from.address)
    assert.deepEqual(await heard, ['meanwhile', from.port])
    const later = hear()
    events.letGo()
    assert.deepEqual(await later, ['first', at.port])
    assert.deepEqual(await hear(), ['second', at.port])
  })

  it("tell the pod's address to a socket that connects, or its errno", async () => {
    const answer = ask([peer], { connects: true })
    const stream = await opened()
    assert.deepEqual(stream.payload, { dial: 'udp', to: peer })
    assert.ok(datagrams.hear({ event: 'dialled', stream: stream.id, local }))
    const connected = await answer
    assert.ok('local' in connected)
    assert.deepEqual(connected.local, local)
    const failed = ask([peer], { connects: true, socket: '7.2' })
    const { id } = await opened()
    assert.ok(datagrams.hear({ event: 'dialFailed', stream: id, errno: 'EACCES' }))
    assert.deepEqual(await failed, { errno: 'EACCES' })
    assert.ok(!datagrams.hear({ event: 'dialFailed', stream: id, errno: 'EACCES' }))
  })

  it('refuse a socket that connects without an agent, and at once while the link is down', async () => {
    datagrams.setLink({ isDown: true })
    assert.deepEqual(await ask([peer], { connects: true }), { errno: 'ENETUNREACH' })
    datagrams.setLink({ isDown: false })
    isAttached = false
    assert.deepEqual(await ask([peer], { connects: true, socket: '7.2' }), { errno: 'ENETUNREACH' })
    isAttached = true
    const waiting = ask([peer], { connects: true, socket: '7.3' })
    await opened()
    datagrams.lost()
    assert.deepEqual(await waiting, { errno: 'ENETUNREACH' })
  })

  it('close an outlet while the process is told of a refusal, and open it again where it was', async () => {
    const asked = ask([peer], { connects: true })
    const stream = await opened()
    datagrams.hear({ event: 'dialled', stream: stream.id, local })
    const at = outletOf(await asked)
    const tied = createSocket('udp4')
    tied.bind(0, '127.0.0.1')
    await once(tied, 'listening')
    await new Promise<void>(resolve => tied.connect(at.port, at.address, () => resolve()))
    stream.events!.data({ bytes: encodeDatagramError(peer, 'ECONNREFUSED') })
    while (events.refused === 0) await new Promise(resolve => setImmediate(resolve))
    tied.send('hello')
    const [error] = await once(tied, 'error')
    assert.equal(error.code, 'ECONNREFUSED')
    tied.close()
    events.letGo()
    while (!stream.sent.has(({ payload }) => String(payload) === 'again')) {
      say('again', at)
      await new Promise(resolve => setImmediate(resolve))
    }
  })

  it('open another stream when the agent has ended one that was idle, or is gone', async () => {
    const at = outletOf(await ask([peer]))
    say('one', at)
    const first = await opened()
    first.events!.end()
    assert.deepEqual(first.over, ['end'])
    say('two', at)
    const second = await opened()
    assert.equal(String((await next(second)).payload), 'two')
    datagrams.lost()
    assert.deepEqual(second.over, ['its agent is gone'])
    say('three', at)
    assert.equal(String((await next(await opened())).payload), 'three')
  })

  it('of nameservers are answered here where a name is not the pod’s, and pass when their names are known', async () => {
    let known: () => void = () => {}
    const refused: string[] = []
    let closed = 0
    names = {
      asked: payload => (String(payload) === 'own' ? Promise.resolve(Buffer.from('own answer')) : undefined),
      answered: () =>
        new Promise(resolve => {
          known = resolve
        }),
      refused: errno => void refused.push(errno),
      close: () => {
        closed += 1
      },
    }
    const at = outletOf(await ask([peer]))
    const heard = hear()
    say('own', at)
    while (!(await Promise.race([heard.then(() => true), new Promise(resolve => setImmediate(resolve))])))
      known()
    assert.deepEqual(await heard, ['own answer', at.port])
    assert.equal(streams.all.length, 0)
    say('other', at)
    const stream = await opened()
    assert.equal(String((await next(stream)).payload), 'other')
    stream.events!.data({ bytes: encodeDatagramError(peer, 'ECONNREFUSED') })
    datagrams.closed('p1', '7.1')
    // What is said to a nameserver is shown by its questions.
    assert.deepEqual([refused, closed, seen], [['ECONNREFUSED'], 1, []])
  })

  it('are shown by peer, from the first datagram of each to the end of the socket, with what becomes of them', async () => {
    const at = outletOf(await ask([peer, other]))
    assert.deepEqual(seen, [])
    say('four', at)
    const stream = await opened()
    await next(stream)
    const heard = hear()
    stream.events!.data({ bytes: encodeDatagram(peer, Buffer.from('seven..')) })
    await heard
    stream.events!.data({ bytes: encodeDatagramError(peer, 'EHOSTUNREACH') })
    const stranger = { address: '198.51.100.9', port: 9 }
    stream.events!.data({ bytes: encodeDatagram(stranger, Buffer.from('hello')) })
    await events.added.take('the stranger', () => true)
    const greeted = hear()
    events.letGo()
    await greeted
    stream.waiting = 1 << 21
    say('lost', at)
    await stream.looks.take('a look', waiting => waiting > 0)
    datagrams.closed('p1', '7.1')
    assert.deepEqual(seen, [
      ...['53 a rule', '53 sent 4', '53 received 7', '53 undelivered EHOSTUNREACH'],
      ...['9 the peer sent first', '9 received 5', '53 lost', '53 over', '9 over'],
    ])
  })

  it('are shown with the address in the pod when their socket is connected, or with its errno', async () => {
    const answer = ask([peer], { connects: true })
    const stream = await opened()
    datagrams.hear({ event: 'dialled', stream: stream.id, local })
    say('one', outletOf(await answer))
    await next(stream)
    const failed = ask([other, { ...other, port: 0 }], { connects: true, socket: '7.2' })
    const { id } = await opened()
    datagrams.hear({ event: 'dialFailed', stream: id, errno: 'EACCES' })
    await failed
    assert.deepEqual(seen, [...['53 a rule from 10.1.2.3', '53 sent 3', '4000 a rule', '4000 failed EACCES']])
  })

  it('end with their socket, and say what was dropped', async () => {
    const at = outletOf(await ask([peer]))
    say('one', at)
    const stream = await opened()
    await next(stream)
    stream.waiting = 1 << 21
    say('two', at)
    await stream.looks.take('a look', waiting => waiting > 0)
    stream.waiting = 0
    while (!stream.sent.has(({ payload }) => String(payload) === 'three')) {
      say('three', at)
      await new Promise(resolve => setImmediate(resolve))
    }
    datagrams.closed('p1', '7.1')
    assert.deepEqual(stream.over, ['end'])
    const alone = createSocket('udp4')
    await new Promise<void>(resolve => alone.connect(at.port, at.address, () => resolve()))
    alone.send('anyone')
    const [error] = await once(alone, 'error')
    assert.equal(error.code, 'ECONNREFUSED')
    alone.close()
    assert.match(notices.join(), /^1 datagrams of a process were dropped/)
  })
})

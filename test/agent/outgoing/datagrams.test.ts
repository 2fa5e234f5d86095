// A UDP socket in the pod: what goes to whom, what comes back from whom, what the network says, and its end.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { openDatagrams } from '../../../agent/outgoing/datagrams.ts'
import type { AgentEvent } from '../../../protocol/agent/control.ts'
import type { Endpoint } from '../../../protocol/codec.ts'
import { type Datagram, DatagramReader, encodeDatagram } from '../../../protocol/link/datagrams.ts'
import type { LinkStream, StreamData } from '../../../protocol/link/link-stream.ts'
import { Mailbox } from '../../stage/mailbox.ts'

describe('openDatagrams()', () => {
  const peers: Socket[] = []
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.close()
  })

  /** A peer that says back what it hears, and from whom. */
  async function echo(address = '127.0.0.1'): Promise<Endpoint> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    peers.push(socket)
    socket.on('message', (heard, from) => socket.send(`${heard} from ${from.port}`, from.port, from.address))
    socket.bind(0, address)
    await once(socket, 'listening')
    return { address, port: socket.address().port }
  }

  function open(to?: Endpoint, idleMs?: number) {
    const reader = new DatagramReader()
    const heard = new Mailbox<Datagram>()
    const told = new Mailbox<AgentEvent>()
    const over: string[] = []
    let granted = 0
    let queuedBytes = 0
    let looked: (() => void) | undefined
    const ended = new Promise<void>(resolve => {
      const stream: LinkStream = {
        id: 7,
        get queuedBytes() {
          if (queuedBytes > 0) looked?.()
          return queuedBytes
        },
        events: undefined,
        write: ({ bytes }: StreamData) => {
          for (const one of reader.read(bytes)) heard.add(one)
        },
        end: () => {
          over.push('end')
          resolve()
        },
        reset: reason => void over.push(reason),
        grant: bytes => {
          granted += bytes
        },
      }
      openDatagrams(stream, to, event => told.add(event), idleMs === undefined ? {} : { idleMs })
      say = bytes => stream.events!.data({ bytes })
      end = () => stream.events!.end()
    })
    return {
      ...{ told, over, ended },
      say: (bytes: Buffer) => say(bytes),
      end: () => end(),
      granted: () => granted,
      /** The link takes nothing more; resolves when something would have been written. */
      block: () => {
        queuedBytes = 1 << 21
        return new Promise<void>(resolve => {
          looked = resolve
        })
      },
      next: (kind: Datagram['kind'] = 'datagram') => heard.take(kind, one => one.kind === kind),
    }
  }
  let say: (bytes: Buffer) => void
  let end: () => void

  it('sends to several peers of both families, and tells who answered', async () => {
    const all = [await echo(), await echo(), await echo('::1')]
    const { say, next, granted, end } = open()
    let said = 0
    for (const [index, peer] of all.entries()) {
      const bytes = encodeDatagram(peer, Buffer.from(`hello ${index}`))
      said += bytes.length
      say(bytes)
      const { peer: from, payload } = await next()
      assert.deepEqual(from, peer)
      assert.match(String(payload), new RegExp(`^hello ${index} from \\d+$`))
    }
    assert.equal(granted(), said)
    end()
  })

  it('that is connected tells its own address, and sends what came before it was', async () => {
    const peer = await echo()
    const { say, next, told, end } = open(peer)
    say(encodeDatagram(peer, Buffer.from('early')))
    const { payload } = await next()
    const dialled = await told.take('the dial', event => event.event === 'dialled')
    assert.ok(dialled.event === 'dialled')
    assert.deepEqual([dialled.stream, dialled.local.address], [7, '127.0.0.1'])
    assert.equal(String(payload), `early from ${dialled.local.port}`)
    end()
  })

  it('that is connected where nobody is hears ECONNREFUSED, for each datagram', async () => {
    const peer = await echo()
    peers.splice(0)[0]!.close()
    const { say, next, end } = open(peer)
    for (let count = 0; count < 3; count++) {
      say(encodeDatagram(peer, Buffer.from('anyone')))
      const { peer: from, payload } = await next('error')
      assert.deepEqual([from, String(payload)], [peer, 'ECONNREFUSED'])
    }
    end()
  })

  it('tells the errno of a route that is not there', async () => {
    const { told, ended } = open({ address: '255.255.255.255', port: 9 })
    const failed = await told.take('the failure', event => event.event === 'dialFailed')
    assert.ok(failed.event === 'dialFailed')
    assert.equal(failed.errno, 'EACCES')
    await ended
  })

  it('asks for a route alone with port 0, and sends nothing there', async () => {
    const to = { address: '127.0.0.1', port: 0 }
    const { told, say, end } = open(to)
    const dialled = await told.take('the route', event => event.event === 'dialled')
    assert.ok(dialled.event === 'dialled' && dialled.local.address === '127.0.0.1')
    say(encodeDatagram(to, Buffer.from('nothing')))
    end()
    const notice = await told.take('the count', event => event.event === 'notice')
    assert.ok(notice.event === 'notice')
    assert.match(notice.text, /^1 datagrams of a UDP socket were dropped/)
  })

  it('carries the largest datagram', async () => {
    const socket = createSocket('udp4')
    peers.push(socket)
    socket.on('message', (heard, from) => socket.send(heard, from.port, from.address))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const peer = { address: '127.0.0.1', port: socket.address().port }
    const { say, next, end } = open()
    const large = Buffer.alloc(65_507, 'large')
    say(encodeDatagram(peer, large))
    assert.deepEqual((await next()).payload, large)
    end()
  })

  it('drops what the link cannot take, and counts it', async () => {
    const peer = await echo()
    const { say, block, told, end, next } = open()
    say(encodeDatagram(peer, Buffer.from('first')))
    await next()
    const arrived = block()
    say(encodeDatagram(peer, Buffer.from('second')))
    await arrived
    end()
    const notice = await told.take('the count', event => event.event === 'notice')
    assert.ok(notice.event === 'notice' && notice.text.startsWith('1 datagrams'))
  })

  it('ends its stream when nothing passed for long, and resets one whose bytes are no datagrams', async () => {
    const idle = open(undefined, 10)
    await idle.ended
    assert.deepEqual(idle.over, ['end'])
    const wrong = open()
    wrong.say(Buffer.from('000000000000', 'hex'))
    assert.equal(wrong.over.length, 1)
    assert.match(wrong.over[0]!, /kind 0/)
  })
})

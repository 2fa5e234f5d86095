// A WebSocket to a pod: its channels, its pressure, its pings and its end, on a fake clock.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { type SinonFakeTimers, useFakeTimers } from 'sinon'
import type { WebSocket } from 'ws'
import { ChannelSocket } from '../../../../server/kubernetes/channel/channel-socket.ts'

/** As much of a WebSocket as a channel uses; faults that an API server cannot be caused to make are made here. */
class FakeWebSocket extends EventEmitter {
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3
  readyState = 1
  bufferedAmount = 0
  isPaused = true
  readonly asked: string[] = []
  sent: { bytes: Buffer; done: (error?: Error) => void }[] = []
  send(bytes: Buffer, _options: object, done: (error?: Error) => void): void {
    this.bufferedAmount += bytes.length
    this.sent.push({ bytes, done })
  }
  ping(): void {
    this.asked.push('ping')
  }
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
  close(code: number): void {
    this.asked.push(`close ${code}`)
    this.readyState = this.CLOSING
  }
  terminate(): void {
    this.asked.push('terminate')
    this.gone(1006)
  }
  gone(code: number): void {
    this.readyState = this.CLOSED
    this.emit('close', code, Buffer.alloc(0))
  }
  flush(): void {
    this.bufferedAmount = 0
    for (const { done } of this.sent.splice(0)) done()
  }
}

function socketOf(reachable = true) {
  const ws = new FakeWebSocket()
  const heard: string[] = []
  const socket = new ChannelSocket(ws as unknown as WebSocket)
  socket.start({
    message: (channel, bytes) => heard.push(`${channel}:${bytes}`),
    ended: fault => heard.push(`ended ${fault}`),
    reachable: async () => {
      heard.push('asked')
      return reachable
    },
  })
  return { ws, socket, heard }
}

describe('ChannelSocket', () => {
  let clock: SinonFakeTimers
  beforeEach(() => {
    clock = useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    })
  })
  afterEach(() => clock.restore())

  it('gives messages by channel and takes an empty one for nothing', () => {
    const { ws, heard } = socketOf()
    ws.emit('message', Buffer.from('\u0001out'), true)
    ws.emit('message', Buffer.alloc(0), true)
    ws.emit('message', Buffer.of(2), true)
    assert.deepEqual(heard, ['1:out', '2:'])
  })

  it('ends in order at close code 1000, and with a fault at any other', () => {
    for (const [code, fault] of [
      [1000, undefined],
      [1001, 'the cluster closed the connection (1001)'],
      [1006, 'the connection was cut'],
    ] as const) {
      const { ws, heard } = socketOf()
      ws.gone(code)
      assert.deepEqual(heard, [`ended ${fault}`])
    }
  })

  it('breaks off at a text message', () => {
    const { ws, heard } = socketOf()
    ws.emit('message', Buffer.from('hello'), false)
    assert.deepEqual(heard, ['ended the cluster sent text where bytes belong'])
    assert.deepEqual(ws.asked, ['terminate'])
  })

  it('gives room for more at once while little waits, else when half of it has gone', () => {
    const { ws, socket } = socketOf()
    let rooms = 0
    const room = () => {
      rooms += 1
    }
    socket.send(0, [Buffer.alloc(100_000)], room)
    assert.equal(rooms, 1)
    socket.send(0, [Buffer.alloc(100_000)], room)
    assert.equal(rooms, 1)
    ws.flush()
    assert.equal(rooms, 2)
  })

  it('leaves the memory of a message alone until it is sent, and uses it again then', () => {
    const { ws, socket } = socketOf()
    const send = (byte: number) => socket.send(0, [Buffer.alloc(20_000, byte)], () => {})
    send(1)
    send(2)
    const [first, second] = ws.sent.map(({ bytes }) => bytes)
    assert.deepEqual([first!.at(-1), second!.at(-1)], [1, 2])
    ws.sent[0]!.done()
    send(3)
    assert.deepEqual([ws.sent[2]!.bytes.buffer === first!.buffer, second!.at(-1)], [true, 2])
  })

  it('sends nothing into a WebSocket that closes, and gives no room until it is closed', () => {
    const { ws, socket } = socketOf()
    ws.readyState = ws.CLOSING
    const rooms: (Error | undefined)[] = []
    socket.send(0, [Buffer.from('late')], error => rooms.push(error))
    assert.deepEqual([ws.sent, rooms], [[], []])
    ws.gone(1006)
    assert.match(String(rooms[0]), /closed/)
  })

  it('terminates what does not answer its close within 1 s, and leaves no timer', () => {
    const { ws, socket } = socketOf()
    let closed = false
    socket.close(() => {
      closed = true
    })
    clock.tick(999)
    assert.deepEqual(ws.asked, ['close 1000'])
    clock.tick(1)
    assert.deepEqual([ws.asked, closed], [['close 1000', 'terminate'], true])
    assert.equal(clock.countTimers(), 0)
    assert.deepEqual(ws.eventNames(), ['error'])
  })

  it('pings every 10 s and takes 22 s without any answer for the end', () => {
    const { ws, heard } = socketOf()
    clock.tick(10_000)
    assert.deepEqual(ws.asked, ['ping'])
    ws.emit('pong')
    clock.tick(10_000)
    assert.deepEqual(ws.asked, ['ping', 'ping'])
    clock.tick(13_000)
    assert.equal(heard.length, 1)
    assert.match(heard[0]!, /^ended nothing came for \d+ s, not even the answer to a ping$/)
    assert.equal(clock.countTimers(), 0)
  })

  for (const reachable of [true, false])
    it(`asks the API server when a ping waits behind data, and ${reachable ? 'goes on' : 'ends'} by its answer`, async () => {
      const { ws, socket, heard } = socketOf(reachable)
      socket.send(0, [Buffer.from('data')], () => {})
      clock.tick(10_000)
      clock.tick(2_000)
      assert.deepEqual(heard, ['asked'])
      await clock.tickAsync(11_000)
      assert.equal(ws.asked.includes('terminate'), !reachable)
      assert.equal(heard.length, reachable ? 1 : 2)
    })

  it('expects no answer while it is paused', () => {
    const { ws, socket, heard } = socketOf()
    socket.pause()
    clock.tick(100_000)
    assert.deepEqual([ws.asked, heard], [[], []])
    socket.resume()
    clock.tick(10_000)
    assert.deepEqual(ws.asked, ['ping'])
  })
})

// A stream of the link joined with a real socket: bytes, ends and resets of either side are those of the other.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { joinStream } from '../../../protocol/link/join.ts'
import type { LinkStream, StreamData } from '../../../protocol/link/link-stream.ts'

class FakeStream implements LinkStream {
  readonly id = 1
  queuedBytes = 0
  events: LinkStream['events']
  granted = 0
  ended = false
  reason: string | undefined
  readonly written: Buffer[] = []
  write({ bytes }: StreamData): void {
    this.written.push(bytes)
  }
  end(): void {
    this.ended = true
  }
  reset(reason: string): void {
    this.reason = reason
  }
  grant(bytes: number): void {
    this.granted += bytes
  }
  get text(): string {
    return Buffer.concat(this.written).toString()
  }
}

describe('joinStream()', () => {
  let stream: FakeStream
  let near: Socket
  let far: Socket
  let over: Promise<void>
  beforeEach(async () => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    far = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {})
    ;[near] = await once(server, 'connection')
    server.close()
    stream = new FakeStream()
    over = new Promise(resolve => joinStream(stream, near, resolve))
  })
  afterEach(() => {
    near.destroy()
    far.destroy()
  })

  it('passes bytes both ways, and grants what the socket has taken', async () => {
    far.write('from the socket')
    while (stream.text !== 'from the socket') await once(near, 'data')
    stream.events!.data({ bytes: Buffer.from('from the link') })
    assert.equal(String((await once(far, 'data'))[0]), 'from the link')
    assert.equal(stream.granted, 13)
  })

  it('passes each end by itself, and is over when both were said', async () => {
    far.end()
    await once(near, 'end')
    assert.equal(stream.ended, true)
    stream.events!.data({ bytes: Buffer.from('late') })
    stream.events!.end()
    far.resume()
    await once(far, 'end')
    await over
    assert.equal(stream.reason, undefined)
  })

  it('resets the socket when the stream is reset, and the stream when the socket is', async () => {
    stream.events!.reset('the pod reset it')
    const [error] = await once(far, 'error')
    assert.equal(error.code, 'ECONNRESET')
    await over
  })

  it('resets a socket whose end was said in the same turn, and leaves nothing of it', async () => {
    const ended = once(far, 'end')
    stream.events!.data({ bytes: Buffer.from('last words') })
    stream.events!.end()
    stream.events!.reset('the pod reset it')
    far.resume()
    await over
    await ended
    assert.equal(near.destroyed, true)
  })

  it('resets the stream when the socket is reset', async () => {
    far.resetAndDestroy()
    await over
    assert.equal(stream.reason, 'ECONNRESET')
  })

  it('stops reading a socket whose stream is full, until it has drained', async () => {
    stream.queuedBytes = 2 << 20
    far.write('x')
    await once(near, 'data')
    assert.equal(near.isPaused(), true)
    stream.events!.drain!()
    assert.equal(near.isPaused(), false)
  })

  it('ends a Unix socket, which knows no reset, when the stream is reset', async () => {
    const server = createServer({ allowHalfOpen: true }).listen(`\0join-${process.pid}`)
    await once(server, 'listening')
    const other = connect(server.address() as string).resume()
    const [taken] = (await once(server, 'connection')) as [Socket]
    server.close()
    const joined = new FakeStream()
    const ended = new Promise<void>(resolve => joinStream(joined, taken, resolve))
    joined.events!.reset('the pod reset it')
    await ended
    await once(other, 'close')
  })
})

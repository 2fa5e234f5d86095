// A socket whose reads are in memory that is used again: no byte changes before the link has taken it, whoever reads beside it.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { joinStream } from '../../../protocol/link/join.ts'
import type { LinkStream, StreamData } from '../../../protocol/link/link-stream.ts'
import { ReadingSocket, readingSocketOf } from '../../../protocol/link/reading-socket.ts'

/** Takes what is queued in pieces of its own, some turns later: what is used again too early shows in the hash. */
class SlowStream implements LinkStream {
  readonly id = 1
  queuedBytes = 0
  events: LinkStream['events']
  ended = false
  takenBytes = 0
  readonly hash = createHash('sha256')
  readonly #queue: Buffer[] = []
  #takes = false
  write({ bytes }: StreamData): void {
    this.#queue.push(bytes)
    this.queuedBytes += bytes.length
    this.#take()
  }
  end(): void {
    this.ended = true
  }
  reset(): void {}
  grant(): void {}
  #take(): void {
    if (this.#takes) return
    this.#takes = true
    setImmediate(() => {
      this.#takes = false
      const first = this.#queue.shift()!
      const part = first.subarray(0, 40_000)
      this.hash.update(part)
      this.takenBytes += part.length
      this.queuedBytes -= part.length
      if (part.length < first.length) this.#queue.unshift(first.subarray(part.length))
      if (this.#queue.length > 0) this.#take()
      else this.events?.drain?.()
    })
  }
}

describe('ReadingSocket', () => {
  let server: Server
  let accepted: Socket[]
  const sockets: Socket[] = []
  beforeEach(async () => {
    accepted = []
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, socket => void accepted.push(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    for (const socket of [...sockets.splice(0), ...accepted]) socket.destroy()
    server.close()
  })
  const to = () => ({ host: '127.0.0.1', port: (server.address() as { port: number }).port })
  const pair = async (): Promise<[near: ReadingSocket, far: Socket]> => {
    const near = new ReadingSocket({ allowHalfOpen: true }).connect(to())
    const [far] = (await once(server, 'connection')) as [Socket]
    sockets.push(near, far.resume())
    return [near, far]
  }

  it('gives each of several streams its own bytes, whole, though they are taken late and the memory is shared', async () => {
    const sizes = [8 << 20, 3 << 20, (2 << 20) + 1]
    const pairs: [ReadingSocket, Socket][] = []
    for (const _ of sizes) pairs.push(await pair())
    const one = async (bytes: Buffer, [near, far]: [ReadingSocket, Socket]) => {
      const stream = new SlowStream()
      joinStream(stream, near)
      far.end(bytes)
      await once(near, 'end')
      while (stream.takenBytes < bytes.length) await new Promise(setImmediate)
      assert.equal(stream.hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'))
    }
    await Promise.all(sizes.map((size, index) => one(randomBytes(size), pairs[index]!)))
  })

  it('is an ordinary socket until it is joined: what came before waits, and is kept by whoever reads it', async () => {
    const [near, far] = await pair()
    far.write('first')
    const [first] = await once(near, 'data')
    far.write('second')
    const [second] = await once(near, 'data')
    assert.deepEqual([String(first), String(second)], ['first', 'second'])
    near.pause()
    far.write('early')
    const stream = new SlowStream()
    joinStream(stream, near)
    near.resume()
    while (stream.takenBytes < 5) await new Promise(setImmediate)
    assert.equal(stream.hash.digest('hex'), createHash('sha256').update('early').digest('hex'))
  })

  it('takes over an accepted connection, of which nothing is read before it is resumed', async () => {
    const far = connect({ ...to(), allowHalfOpen: true })
    const [given] = (await once(server, 'connection')) as [Socket]
    const closed = once(server, 'close')
    server.close()
    const near = readingSocketOf(given)
    sockets.push(near, far)
    // The server is done with it, as with one that was closed.
    await closed
    far.end('what was said before')
    assert.equal(near.bytesRead, 0)
    near.resume()
    const [bytes] = await once(near, 'data')
    assert.equal(String(bytes), 'what was said before')
    near.end('and the answer')
    assert.equal(String((await once(far, 'data'))[0]), 'and the answer')
    await once(far, 'end')
  })

  it('is over at once where the accepted one was', async () => {
    const far = connect(to()).on('error', () => {})
    const [given] = (await once(server, 'connection')) as [Socket]
    sockets.push(far)
    given.destroy()
    const near = readingSocketOf(given)
    assert.equal(near.destroyed, true)
    await once(near, 'close')
  })
})

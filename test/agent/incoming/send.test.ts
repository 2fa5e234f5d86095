// Sender: captured streams go to the link, and copies that nobody reads in time are given up with a count.
import assert from 'node:assert/strict'
import { maxStreams, Sender, streamQueueBytes, totalQueueBytes } from '../../../agent/incoming/send.ts'
import type { Opened } from '../../../protocol/agent/control.ts'
import type { LinkStream, StreamData } from '../../../protocol/link/link-stream.ts'

const opened: Opened = {
  connection: '1-1',
  direction: 'received',
  caller: { address: '10.0.0.1', port: 40_000 },
  pod: { address: '10.0.0.2', port: 8080 },
  at: 1,
  joined: false,
}
const mebibyte = 1 << 20

/** A stream of a link that takes nothing until it is drained. */
class StuckStream implements LinkStream {
  readonly id = 2
  queuedBytes = 0
  events: LinkStream['events']
  readonly written: StreamData[] = []
  readonly said: string[] = []
  write(data: StreamData): void {
    this.written.push(data)
    this.queuedBytes += data.bytes.length
  }
  end(): void {
    this.said.push('end')
  }
  reset(reason: string): void {
    this.said.push(reason)
    this.queuedBytes = 0
  }
  grant(): void {}
  drain(): void {
    this.queuedBytes = 0
    this.events?.drain?.()
  }
}

function start() {
  const streams: StuckStream[] = []
  const sender = new Sender(() => {
    streams.push(new StuckStream())
    return streams.at(-1)!
  })
  return { sender, streams }
}

describe('Sender', () => {
  it('passes data with its time, what was skipped, and the end', () => {
    const { sender, streams } = start()
    const writer = sender.openStream(opened)
    writer.data(Buffer.from('hello'), 5)
    writer.skipped(100, 6)
    writer.end()
    const [stream] = streams
    assert.deepEqual(stream?.written, [
      { bytes: Buffer.from('hello'), timeMs: 5 },
      { bytes: Buffer.alloc(0), timeMs: 6, skipped: 100 },
    ])
    assert.deepEqual(stream?.said, ['end'])
    assert.equal(sender.slow, 0)
  })

  it('passes on why a capture ended', () => {
    const { sender, streams } = start()
    sender.openStream(opened).reset('gap of 1448 bytes')
    assert.deepEqual(streams[0]?.said, ['gap of 1448 bytes'])
  })

  it('gives up a stream in which more than 1 MiB waits, once, and leaves the others', () => {
    const { sender, streams } = start()
    const writer = sender.openStream(opened)
    const other = sender.openStream(opened)
    writer.data(Buffer.alloc(streamQueueBytes), 1)
    assert.deepEqual(streams[0]?.said, [])
    writer.data(Buffer.alloc(1), 2)
    writer.data(Buffer.alloc(1), 3)
    writer.end()
    other.data(Buffer.from('x'), 4)
    assert.deepEqual(streams[0]?.said, ['the reader is too slow'])
    assert.deepEqual(streams[1]?.said, [])
    assert.equal(sender.slow, 1)
  })

  it('gives up the fullest streams when more than 64 MiB wait in all, ended ones included', () => {
    const { sender, streams } = start()
    for (let at = 0; at < totalQueueBytes / mebibyte; at++) {
      const writer = sender.openStream(opened)
      writer.data(Buffer.alloc(mebibyte), 1)
      writer.end()
    }
    assert.equal(sender.slow, 0)
    sender.openStream(opened).data(Buffer.from('one too many'), 1)
    assert.equal(sender.slow, 1)
    assert.deepEqual(streams[0]?.said, ['end', 'the reader is too slow'])
    assert.deepEqual(streams.at(-1)?.said, [])
  })

  it('does not count what the link has taken meanwhile', () => {
    const { sender, streams } = start()
    for (let at = 0; at < (2 * totalQueueBytes) / mebibyte; at++) {
      sender.openStream(opened).data(Buffer.alloc(mebibyte), 1)
      streams[at]?.drain()
    }
    assert.equal(sender.slow, 0)
  })

  it('writes nothing to a stream that the reader has given up', () => {
    const { sender, streams } = start()
    const writer = sender.openStream(opened)
    streams[0]?.events?.reset('not wanted')
    writer.data(Buffer.from('x'), 1)
    writer.end()
    assert.deepEqual(streams[0]?.written, [])
    assert.deepEqual(streams[0]?.said, [])
    assert.equal(sender.slow, 0)
  })

  it('opens no more than 65,536 streams, and forgets those that are over', () => {
    const { sender, streams } = start()
    const writers = Array.from({ length: maxStreams }, () => sender.openStream(opened))
    sender.openStream(opened).data(Buffer.from('lost'), 1)
    assert.equal(streams.length, maxStreams)
    assert.equal(sender.unopened, 1)
    writers[0]?.end()
    sender.openStream(opened)
    assert.equal(streams.length, maxStreams + 1)
  })

  it('counts a connection that the link opens no stream for, and takes its data without effect', () => {
    const sender = new Sender(() => {
      throw new Error('link-full')
    })
    sender.openStream(opened).data(Buffer.from('x'), 1)
    sender.openStream({ ...opened, direction: 'sent' })
    assert.deepEqual([sender.unopened, sender.slow], [1, 0])
  })
})

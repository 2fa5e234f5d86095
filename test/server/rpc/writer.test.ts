// Messages on their way to a client that reads fast, slowly or not at all.
import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { congestedBytes, MessageWriter } from '../../../server/rpc/writer.ts'

/** A stream whose other end reads only when told to. */
function slowStream() {
  const waiting: (() => void)[] = []
  let readAll = false
  const stream = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      if (readAll) done()
      else waiting.push(done)
    },
  })
  const release = () => {
    readAll = true
    for (const done of waiting.splice(0)) done()
  }
  return { stream, release }
}
const large = { text: 'x'.repeat(congestedBytes) }

describe('MessageWriter', () => {
  it('has room while the client reads', async () => {
    const { stream, release } = slowStream()
    release()
    const writer = new MessageWriter(stream, () => {})
    writer.send(large)
    await writer.room()
    assert.equal(writer.congested, false)
  })

  it('is congested while the client does not, and tells all who wait when it reads again', async () => {
    const { stream, release } = slowStream()
    const writer = new MessageWriter(stream, () => {})
    writer.send(large)
    assert.equal(writer.congested, true)
    const rooms = [writer.room(), writer.room()]
    release()
    await Promise.all(rooms)
    assert.equal(writer.congested, false)
  })

  it('is finished as soon as the client has read a last small message', async () => {
    const { stream, release } = slowStream()
    const writer = new MessageWriter(stream, () => {})
    writer.send({ text: 'bye' })
    const finished = writer.finish(60_000)
    release()
    await finished
    assert.equal(writer.pendingBytes, 0)
  })

  it('shows each message that it sends, and none that it can not', () => {
    const { stream } = slowStream()
    const shown: object[] = []
    const writer = new MessageWriter(
      stream,
      () => {},
      message => void shown.push(message),
    )
    writer.send({ method: 'session/status' })
    stream.destroy()
    stream.emit('close')
    writer.send({ method: 'process/exit' })
    assert.deepEqual(shown, [{ method: 'session/status' }])
  })

  it('lets nobody wait for a client that is gone', async () => {
    const { stream } = slowStream()
    const broken: Error[] = []
    const writer = new MessageWriter(stream, cause => void broken.push(cause))
    writer.send(large)
    const room = writer.room()
    stream.destroy(new Error('EPIPE'))
    await room
    writer.send(large)
    await writer.finish(10_000)
    assert.equal(writer.congested, false)
    assert.equal(broken.length, 1)
  })
})

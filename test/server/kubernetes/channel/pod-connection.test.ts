// A connection to a pod as a stream: pauses, ends and failures in the order of the bytes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PodConnection, type Wire } from '../../../../server/kubernetes/channel/pod-connection.ts'

/** A wire that takes everything and tells what was asked of it. */
function wireOf() {
  const asked: string[] = []
  const sent: Buffer[] = []
  const wire: Wire = {
    messageBytes: 32_768,
    send(_channel, chunks, room) {
      sent.push(Buffer.concat(chunks))
      room()
    },
    pause: () => asked.push('pause'),
    resume: () => asked.push('resume'),
    close(done) {
      asked.push('close')
      done()
    },
  }
  return { wire, asked, sent }
}

describe('PodConnection', () => {
  it('pauses its wire once when much was not read, and resumes it once when most was', async () => {
    const { wire, asked } = wireOf()
    const connection = new PodConnection(wire)
    for (let chunk = 0; chunk < 40; chunk += 1) connection.arrived(Buffer.alloc(32_768, chunk))
    assert.deepEqual(asked, ['pause'])
    let bytes = 0
    connection.on('data', chunk => {
      bytes += chunk.length
    })
    connection.over(undefined)
    await once(connection, 'end')
    assert.equal(bytes, 40 * 32_768)
    assert.deepEqual(asked.slice(0, 2), ['pause', 'resume'])
  })

  it('gives all that came before it fails, to a slow reader too', async () => {
    const connection = new PodConnection(wireOf().wire)
    connection.arrived(Buffer.from('one'))
    connection.arrived(Buffer.from('two'))
    connection.over(new Error('cut'))
    const chunks: string[] = []
    await assert.rejects(async () => {
      for await (const chunk of connection) {
        chunks.push(String(chunk))
        await new Promise(setImmediate)
      }
    }, /cut/)
    assert.deepEqual(chunks, ['one', 'two'])
  })

  it('fails at once when nothing is left to read, read or not', async () => {
    const connection = new PodConnection(wireOf().wire)
    const failed = once(connection, 'error')
    connection.over(new Error('cut'))
    assert.match(String(await failed), /cut/)
  })

  it('sends small writes together, and nothing when it is ended', async () => {
    const { wire, sent, asked } = wireOf()
    const connection = new PodConnection(wire)
    connection.cork()
    for (const word of ['a', 'b', 'c']) connection.write(word)
    connection.uncork()
    connection.end()
    await once(connection, 'finish')
    assert.deepEqual(sent.map(String), ['abc'])
    assert.deepEqual(asked, [])
  })

  it('keeps a write that comes too late until all was read, then fails it with EPIPE', async () => {
    const connection = new PodConnection(wireOf().wire)
    connection.arrived(Buffer.from('last'))
    connection.over(undefined)
    const failed = new Promise<NodeJS.ErrnoException>(resolve => connection.on('error', resolve))
    connection.write('late')
    await new Promise(setImmediate)
    assert.equal(connection.destroyed, false)
    assert.equal(String(connection.read()), 'last')
    connection.read()
    assert.equal((await failed).code, 'EPIPE')
  })

  it('closes when the pod has ended and was read, without being ended itself', async () => {
    const { wire, asked } = wireOf()
    const connection = new PodConnection(wire)
    connection.over(undefined)
    connection.resume()
    await once(connection, 'close')
    assert.deepEqual(asked, ['close'])
  })
})

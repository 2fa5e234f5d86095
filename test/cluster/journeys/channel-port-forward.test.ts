// What a port-forward carries, on the real API server: every byte, both ways, at the readers' pace, to the end.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { linesOf } from '../../stage/lines.ts'
import { until } from '../run.ts'
import {
  type ChannelPod,
  echoPort,
  hashOfKeystream,
  keystream,
  readBytes,
  startChannelPod,
  writeKeystream,
} from '../stage/channel-pod.ts'

const MiB = 1 << 20

describe('a port-forward', () => {
  let pod: ChannelPod
  before(async () => {
    pod = await startChannelPod()
  })
  after(() => pod?.end())

  it('carries 100 MiB each way at once unchanged, with random pauses at all four ends', async () => {
    const bytes = 100 * MiB
    const order = { send: bytes, seed: 'd', receive: bytes, pauses: true }
    const connection = await pod.order(order)
    const [down] = await Promise.all([
      readBytes(connection, bytes, { pauses: true }),
      writeKeystream(connection, 'u', bytes, true),
    ])
    assert.deepEqual(down, { bytes, hash: hashOfKeystream('d', bytes) })
    const trailer = JSON.parse((await buffer(connection)).toString())
    assert.deepEqual(trailer, { received: bytes, hash: hashOfKeystream('u', bytes) })
    await closed(connection)
  })

  it('brings the first bytes and the last ones of streams of every small size', async () => {
    for (const send of [0, 1, 2, 3, 255, 32_766, 32_767, 32_768, 32_769, 65_537]) {
      const connection = await pod.order({ send, seed: 's', receive: send + 1 })
      await writeKeystream(connection, 't', send + 1)
      const down = await readBytes(connection, send)
      assert.equal(down.hash, hashOfKeystream('s', send), `${send} bytes`)
      // It may come in pieces.
      const line = await linesOf(connection).until('what the pod received', text => text.startsWith('{'))
      assert.equal(JSON.parse(line).hash, hashOfKeystream('t', send + 1))
      connection.destroy()
    }
  })

  it('holds the pod back while nobody reads, in bounded memory, and loses nothing of it', async () => {
    const bytes = 200 * MiB
    const before = rss()
    const connection = await pod.order({ name: 'held', send: bytes, seed: 'h' })
    // Whoever does not read must not be fed: the pod's end comes to a stop by itself.
    const sent = await standstill('what the pod has sent', async () => (await pod.seen('held')).sent)
    const grown = rss() - before
    assert.ok(sent > 0 && sent < 40 * MiB, `the pod could send ${sent} bytes that nobody read`)
    assert.ok(grown < 40 * MiB, `the process grew by ${grown} bytes`)
    assert.deepEqual(await readBytes(connection, bytes), { bytes, hash: hashOfKeystream('h', bytes) })
    await closed(connection)
  })

  it('holds the writer back while the pod does not read, in bounded memory', async () => {
    const before = rss()
    const connection = await pod.order({ name: 'stalled', stall: true })
    const next = keystream('w')
    let written = 0
    const write = () => {
      let room = true
      while (room && !connection.destroyed) {
        room = connection.write(next(65_536))
        written += 65_536
      }
    }
    connection.on('drain', write)
    write()
    const total = await standstill('what was written', async () => written)
    // What the kernels of five hops hold: each socket up to 6 MiB received and 4 MiB sent.
    assert.ok(total > 0 && total < 100 * MiB, `${total} bytes went to a pod that reads nothing`)
    assert.ok(connection.writableLength < MiB, `${connection.writableLength} bytes wait in the stream`)
    assert.ok(rss() - before < 40 * MiB, 'the process grew')
    connection.destroy()
    await once(connection, 'close')
  })

  it('gives the whole answer that comes after the end of our input', async () => {
    const connection = await pod.order({ delayMs: 800, send: 5 * MiB, seed: 'a' })
    connection.end()
    await once(connection, 'finish')
    assert.deepEqual(await readBytes(connection, 5 * MiB), {
      bytes: 5 * MiB,
      hash: hashOfKeystream('a', 5 * MiB),
    })
    await closed(connection)
  })

  it('ends when the pod ends, after its last byte, also for a reader that comes late', async () => {
    const connection = await pod.order({ name: 'late', send: 200_000, seed: 'l' })
    await until('the pod to close', 10_000, async () => ((await pod.seen('late')).closed ? true : undefined))
    assert.equal(connection.readableEnded, false)
    const bytes = await buffer(connection)
    assert.equal(bytes.length, 200_000)
    assert.ok(bytes.equals(keystream('l')(200_000)))
    await closed(connection)
  })

  it('gives all that came before the pod reset the connection, then says that it did', async () => {
    const connection = await pod.order({ send: 3 * MiB, seed: 'r', reset: true })
    let bytes = 0
    connection.on('data', chunk => {
      bytes += chunk.length
    })
    await closing(connection)
    assert.match(String(connection.errored), /Cannot forward port 7000 of pod "channel": its program reset/)
    // The node itself drops what the reset overtook, so only what it passed on can come.
    assert.ok(bytes > 0 && bytes <= 3 * MiB)
    assert.equal(connection.readableEnded, false)
  })

  it('fails a write to a connection that the pod has closed with EPIPE, once all that came was read', async () => {
    const connection = await pod.order({ name: 'gone', send: 100_000, seed: 'g' })
    await until('the pod to close', 10_000, async () => ((await pod.seen('gone')).closed ? true : undefined))
    const next = keystream('x')
    const write = () => {
      while (connection.write(next(65_536)));
    }
    connection.on('drain', write)
    write()
    const bytes: Buffer[] = []
    connection.on('data', chunk => bytes.push(chunk))
    await closing(connection)
    assert.ok(Buffer.concat(bytes).equals(keystream('g')(100_000)))
    assert.equal((connection.errored as NodeJS.ErrnoException).code, 'EPIPE')
  })

  it('carries 200 connections at once, each its own bytes', async () => {
    const bytes = 256 << 10
    const connections = await Promise.all(Array.from({ length: 200 }, () => pod.connect(echoPort)))
    await Promise.all(
      connections.map(async (connection, index) => {
        const seed = String.fromCharCode(48 + (index % 70))
        const [back] = await Promise.all([
          readBytes(connection, bytes),
          writeKeystream(connection, seed, bytes),
        ])
        assert.deepEqual(back, { bytes, hash: hashOfKeystream(seed, bytes) })
        connection.destroy()
        await once(connection, 'close')
      }),
    )
  })

  it('closes the connection of the pod when it is destroyed, read or not', async () => {
    const connection = await pod.order({ name: 'dropped', endless: true })
    await once(connection, 'readable')
    connection.destroy()
    await once(connection, 'close')
    await until('the pod to see the end', 10_000, async () =>
      (await pod.seen('dropped')).closed ? true : undefined,
    )
  })
})

function rss(): number {
  global.gc?.()
  return process.memoryUsage().rss
}

/** Resolves when the stream is closed, by an error or not. */
function closing(connection: Duplex): Promise<void> {
  return new Promise(resolve => connection.once('close', resolve))
}

async function closed(connection: Duplex): Promise<void> {
  if (!connection.readableEnded) connection.resume()
  if (!connection.closed) await once(connection, 'close')
  assert.equal(connection.errored, null)
  assert.equal(connection.readableEnded, true)
}

/** The value, when it was the same at several looks in a row. */
async function standstill(awaited: string, look: () => Promise<number>): Promise<number> {
  const looks: number[] = []
  return until(`${awaited} to stand still`, 30_000, async () => {
    looks.push(await look())
    const last = looks.slice(-8)
    return last.length === 8 && last.every(value => value === last[0]) ? last[0] : undefined
  })
}

// The link on real Unix sockets: what travels through a proxy that cuts, who is let in, and when both ends give up.
import assert from 'node:assert/strict'
import { createCipheriv, createHash, generateKeyPairSync, type Hash } from 'node:crypto'
import { once } from 'node:events'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { Mailbox } from '../stage/mailbox.ts'
import {
  type AgentEnd,
  type CuttingProxy,
  dialTo,
  listen,
  proxyTo,
  type ServerEnd,
  socketTo,
} from './link-ends.ts'

const streamBytes = 5_000_000
const streamCount = 20

/** Endless bytes that are the same for the same seed. */
function bytesFrom(seed: number): (count: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return count => cipher.update(Buffer.alloc(count))
}

/** Writes the seed's bytes in pieces of many sizes, never more than 1 MiB ahead of the link. Gives their hash at the end. */
function send(
  stream: LinkStream,
  seed: number,
  ended: (hash: string) => void,
  events?: LinkStream['events'],
): void {
  const next = bytesFrom(seed)
  const hash = createHash('sha256')
  let leftBytes = streamBytes
  const more = (): void => {
    while (leftBytes > 0 && stream.queuedBytes < 1 << 20) {
      const bytes = next(Math.min(leftBytes, 1 + ((leftBytes * 7919) % 200_000)))
      leftBytes -= bytes.length
      hash.update(bytes)
      stream.write({ bytes, timeMs: leftBytes })
    }
    if (leftBytes > 0) return
    leftBytes = -1
    stream.end()
    ended(hash.digest('hex'))
  }
  stream.events = {
    data() {},
    end() {},
    reset() {},
    ...events,
    drain: () => {
      if (leftBytes > 0) more()
    },
  }
  more()
}

/** Hashes what comes, granting it back. */
function receive(stream: LinkStream, ended: (end: string) => void): NonNullable<LinkStream['events']> {
  const hash: Hash = createHash('sha256')
  return {
    data({ bytes }) {
      hash.update(bytes)
      stream.grant(bytes.length)
    },
    end: () => ended(hash.digest('hex')),
    reset: reason => ended(`reset: ${reason}`),
  }
}

describe('a link', () => {
  const closing: { close(reason: string): void }[] = []
  const keep = <T extends { close(reason: string): void }>(end: T): T => {
    closing.push(end)
    return end
  }
  afterEach(() => {
    for (const end of closing.splice(0)) end.close('the test is over')
  })
  const agentEnd = async (...options: Parameters<typeof listen>): Promise<AgentEnd> =>
    keep(await listen(...options))
  const serverEnd = (...options: Parameters<typeof dialTo>): ServerEnd => keep(dialTo(...options))
  const proxy = async (...options: Parameters<typeof proxyTo>): Promise<CuttingProxy> =>
    keep(await proxyTo(...options))
  const taken = <T>(box: Mailbox<T>, what: string, matches: (item: T) => boolean) => box.take(what, matches)

  it('brings 100 MB in 20 streams, both ways at once, through a proxy that cuts at random', async () => {
    const sent = new Map<string, string>()
    const got = new Map<string, string>()
    const done = new Mailbox<number>()
    const hear = (name: string) => (end: string) => {
      got.set(name, end)
      done.add(got.size)
    }
    const onOpen = (stream: LinkStream, payload: unknown): void => {
      const { seed, oneWay } = payload as { seed: number; oneWay: boolean }
      const events = receive(stream, hear(`there ${seed}`))
      if (oneWay) stream.events = events
      else send(stream, seed + 100, hash => sent.set(`back ${seed}`, hash), events)
    }
    const agent = await agentEnd({ onOpen })
    const random = bytesFrom(7)
    const between = await proxy(agent.name, () => {
      const draw = random(4).readUInt32BE()
      return draw % 4 === 0 ? draw % 2_000 : draw % 12_000_000
    })
    const server = serverEnd(between.name, { onOpen, graceMs: 60_000 })
    await server.ready
    for (let seed = 0; seed < streamCount; seed += 1) {
      const oneWay = seed % 4 !== 0
      const opener = seed % 2 === 0 ? server.endpoint : agent.endpoint
      const stream = opener.open({ seed, oneWay }, { oneWay })
      const events = oneWay ? undefined : receive(stream, hear(`back ${seed}`))
      send(stream, seed, hash => sent.set(`there ${seed}`, hash), events)
    }
    const wanted = streamCount + streamCount / 4
    await done.take('the end of all streams', count => count === wanted, {
      withinMs: 50_000,
      showing: () => ({ ended: got.size, cuts: between.cuts }),
    })
    assert.deepEqual(new Map([...got].sort()), new Map([...sent].sort()))
    assert.ok(between.cuts >= 5, `${between.cuts} cuts`)
  })

  it('lets a server in again while its old connection is still held', async () => {
    const control = new Mailbox<unknown>()
    const agent = await agentEnd({ onControl: value => control.add(value) })
    const server = serverEnd(agent.name)
    await server.ready
    await taken(agent.heard, 'the first connection', text => text === 'attached')
    server.endpoint.detach('the laptop moved to another network')
    server.endpoint.control({ after: 'the move' })
    await taken(agent.heard, 'the second connection', text => text === 'attached')
    await control.take('what was said after it', () => true)
  })

  it('ends at the agent when the server stays away for the grace time, and from the start', async () => {
    const lonely = await agentEnd({ graceMs: 100 })
    await taken(
      lonely.heard,
      'the end of the lonely agent',
      text => text === 'gone: the server never connected',
    )
    await assert.rejects(socketTo(lonely.name), /ECONNREFUSED/)
    const agent = await agentEnd({ graceMs: 300 })
    const server = serverEnd(agent.name)
    await server.ready
    const over = new Mailbox<string>()
    const stream = agent.endpoint.open({})
    stream.events = { data() {}, end() {}, reset: reason => over.add(reason) }
    server.close('gone home')
    await taken(agent.heard, 'the end of the agent', text => text.startsWith('gone: '))
    await over.take('the reset of its stream', () => true)
    await assert.rejects(socketTo(agent.name), /ECONNREFUSED/)
  })

  it('is lost at the server when the agent stays away for the grace time', async () => {
    const agent = await agentEnd()
    const server = serverEnd(agent.name, { graceMs: 500 })
    await server.ready
    agent.close('killed')
    const lost = await server.states.take('the loss', state => state.state === 'lost')
    assert.match((lost as { reason: string }).reason, /ECONNREFUSED/)
    assert.ok(server.states.has(state => state.state === 'reconnecting'))
  })

  it('refuses another key and another session, and goes on for the right server', async () => {
    const agent = await agentEnd()
    const server = serverEnd(agent.name)
    await server.ready
    const stranger = serverEnd(agent.name, { privateKey: generateKeyPairSync('ed25519').privateKey })
    await assert.rejects(stranger.ready, /Cannot open link: the agent answered ".*the signature is wrong"/)
    await assert.rejects(serverEnd(agent.name, { session: 's2' }).ready, /belongs to another session/)
    assert.equal(server.endpoint.attached, true)
    assert.equal(agent.endpoint.attached, true)
    assert.equal(agent.heard.all.length, 1)
  })

  const garbage: [string, Buffer][] = [
    ['a length of 1 GiB', Buffer.from('40000000', 'hex')],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['random bytes', bytesFrom(9)(100_000)],
    ['a hello of zeros', Buffer.concat([Buffer.from('0000001001', 'hex'), Buffer.alloc(15)])],
  ]
  for (const [what, bytes] of garbage) {
    it(`closes a connection that says ${what}, and no other`, async () => {
      const agent = await agentEnd()
      const server = serverEnd(agent.name)
      await server.ready
      const socket = await socketTo(agent.name)
      socket.on('error', () => {}).resume()
      const closed = once(socket, 'close')
      socket.write(bytes)
      await closed
      assert.equal(server.endpoint.attached, true)
    })
  }

  it('lets the server in past connections that say nothing, of which it keeps at most 8', async () => {
    const agent = await agentEnd()
    const sockets = await Promise.all(Array.from({ length: 12 }, () => socketTo(agent.name)))
    const closed = new Mailbox<number>()
    for (const [n, socket] of sockets.entries())
      socket
        .on('error', () => {})
        .on('close', () => closed.add(n))
        .resume()
    for (let n = 0; n < 4; n += 1) await closed.take('the close of an old connection', () => true)
    const server = serverEnd(agent.name)
    await server.ready
    assert.ok(closed.all.length <= 5, `${closed.all.length} were closed`)
    for (const socket of sockets) socket.destroy()
  })

  it('leaves no socket behind after close()', async () => {
    const agent = await agentEnd()
    const silent = await socketTo(agent.name)
    const closed = once(silent.on('error', () => {}).resume(), 'close')
    const server = serverEnd(agent.name)
    await server.ready
    const dropped = server.states.take('the drop', state => state.state === 'reconnecting')
    agent.close('done')
    await Promise.all([closed, dropped])
    server.close('done')
    await assert.rejects(socketTo(agent.name), /ECONNREFUSED/)
  })
})

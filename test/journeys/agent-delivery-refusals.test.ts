// Whom the bootstrap of an agent turns away, how it waits on after each of them, and how it ends when nobody comes.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { deliveryBounds, deliveryText } from '../../protocol/agent/delivery-text.ts'
import { agentBundles } from '../../server/kubernetes/agent/bundle.ts'
import { firstLine } from '../../server/kubernetes/agent/first-line.ts'
import { ended } from '../stage/agent-program.ts'
import {
  attachPod,
  type Bootstrap,
  killBootstraps,
  linkDelivered,
  type Marked,
  markAsContainer,
  startBootstrap,
} from '../stage/bootstrap.ts'
import { type Pod, startPod } from '../stage/pod.ts'

type Offer = { nonce: string; platform: string; node: string }
type Parts = { argv?: readonly string[]; manifest?: Buffer; bundle?: Buffer; header?: object }

/** Resolves when the bootstrap has closed it, with what it had said on it after the offer. */
function closed(socket: Socket, withinMs = 5_000): Promise<string> {
  let said = ''
  socket.on('data', chunk => {
    said += chunk
  })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it was not closed within ${withinMs} ms`)), withinMs)
    const end = () => {
      clearTimeout(timer)
      resolve(said)
    }
    // It may be reset with bytes of ours unread.
    socket.on('error', () => undefined).resume()
    if (socket.closed) end()
    else socket.once('close', end)
  })
}

async function offered(boot: Bootstrap): Promise<{ socket: Socket; offer: Offer }> {
  const socket = await boot.connect()
  const line = await firstLine(socket, {
    maxBytes: 4096,
    timeoutMs: 5_000,
    missing: 'the bootstrap did not greet',
    signal: new AbortController().signal,
  })
  return { socket, offer: JSON.parse(line) as Offer }
}

describe('the bootstrap of an agent', () => {
  let pod: Pod
  let marked: Marked
  let boot: Bootstrap
  before(async () => {
    pod = await startPod()
    marked = markAsContainer(pod.server.pid!)
  })
  afterEach(killBootstraps)
  after(async () => {
    await pod.end()
    marked.end()
  })

  /** A right delivery but for what `parts` says otherwise. */
  async function delivery({ nonce, platform }: Offer, key = boot.keys.privateKey, parts: Parts = {}) {
    const bundles = await agentBundles()
    const argv = parts.argv ?? attachPod(marked.container, boot.keys)
    const manifest = parts.manifest ?? bundles.manifest
    const bundle = parts.bundle ?? bundles.bundleFor(platform as 'linux-x64-glibc')!
    const signature = sign(null, deliveryText(nonce, argv), key).toString('hex')
    const lengths = { manifestBytes: manifest.length, bundleBytes: bundle.length }
    const header = `${JSON.stringify({ signature, argv, ...lengths, ...parts.header })}\n`
    return Buffer.concat([Buffer.from(header), manifest, bundle])
  }

  async function sendAndBeClosed(bytes: (offer: Offer) => Promise<Buffer> | Buffer): Promise<void> {
    const { socket, offer } = await offered(boot)
    socket.write(await bytes(offer))
    assert.equal(await closed(socket), '')
  }

  async function assertStillWaits(): Promise<void> {
    assert.equal(boot.child.exitCode, null)
    await boot.deliver(attachPod(marked.container, boot.keys))
    const agent = await linkDelivered(boot)
    agent.link.close('the test is over')
    assert.equal(boot.log.all.length, 1, boot.log.all.join('\n'))
  }

  describe('closes the connection and waits on after', () => {
    beforeEach(async () => {
      boot = await startBootstrap()
    })
    afterEach(assertStillWaits)

    it('a delivery that another key signed', () =>
      sendAndBeClosed(offer => delivery(offer, generateKeyPairSync('ed25519').privateKey)))

    it('a delivery that was recorded on another connection', async () => {
      const { socket, offer } = await offered(boot)
      const recorded = await delivery(offer)
      socket.destroy()
      await sendAndBeClosed(() => recorded)
    })

    it('a delivery with other arguments than those that were signed', () =>
      sendAndBeClosed(offer => delivery(offer, undefined, { header: { argv: ['attach-pod', 'x'] } })))

    it('a rightly signed delivery of another bundle', async () => {
      const { bundleFor } = await agentBundles()
      const bundle = Buffer.from(bundleFor('linux-x64-musl')!)
      await sendAndBeClosed(offer => delivery(offer, undefined, { bundle }))
    })

    it('a rightly signed delivery of other code with a manifest that names it', () =>
      sendAndBeClosed(offer => {
        const bundle = Buffer.from('[["agent.cjs",0]]\n')
        const hash = createHash('sha256').update(bundle).digest('hex')
        return delivery(offer, undefined, { bundle, manifest: Buffer.from(`${offer.platform} ${hash}\n`) })
      }))

    it('a rightly signed delivery that announces more than 8 MiB', () =>
      sendAndBeClosed(offer =>
        delivery(offer, undefined, { header: { bundleBytes: deliveryBounds.bodyBytes } }),
      ))

    it('lengths that are no lengths', async () => {
      for (const bundleBytes of [-1, 0, '1e9', null, {}])
        await sendAndBeClosed(offer => delivery(offer, undefined, { header: { bundleBytes } }))
    })

    it('an HTTP request', () => sendAndBeClosed(() => Buffer.from('GET / HTTP/1.1\r\nHost: agent\r\n\r\n')))

    it('random bytes', () => sendAndBeClosed(() => randomBytes(100_000)))

    it('a line that never ends', () =>
      sendAndBeClosed(() => Buffer.alloc(deliveryBounds.headerBytes + 1, 'a')))

    it('JSON that is no delivery', async () => {
      for (const text of ['null', '[]', '"x"', '{"signature":1,"argv":null}', '{"__proto__":{}}'])
        await sendAndBeClosed(() => Buffer.from(`${text}\n`))
    })

    it('a delivery that breaks off in the middle', async () => {
      const { socket, offer } = await offered(boot)
      const bytes = await delivery(offer)
      socket.write(bytes.subarray(0, bytes.length / 2))
      socket.end()
      await closed(socket)
    })

    it('10 s of silence', async () => {
      const socket = await boot.connect()
      const startedMs = performance.now()
      await closed(socket, 15_000)
      const tookMs = performance.now() - startedMs
      assert.ok(tookMs > 9_000 && tookMs < 12_000, `${tookMs} ms`)
    })

    it('the oldest of more than 8 that say nothing, which so keep nobody out', async () => {
      const silent = [await boot.connect()]
      const first = closed(silent[0]!)
      for (let n = 0; n < deliveryBounds.greeting; n += 1) silent.push(await boot.connect())
      await first
      await boot.deliver(attachPod(marked.container, boot.keys))
      await Promise.all(silent.map(socket => closed(socket)))
      boot = await startBootstrap()
    })
  })

  it('lets in nobody but the server when the agent has taken its place', async () => {
    boot = await startBootstrap()
    await boot.deliver(attachPod(marked.container, boot.keys))
    const http = await boot.connect()
    http.write('GET / HTTP/1.1\r\n\r\n')
    assert.doesNotMatch(await closed(http), /running|HTTP/)
    const other = { ...boot, keys: generateKeyPairSync('ed25519') }
    await assert.rejects(linkDelivered(other), /the signature is wrong/)
    const agent = await linkDelivered(boot)
    agent.link.close('the test is over')
  })

  describe('ends with one line in its log', () => {
    const endOf = async (started: Bootstrap) => {
      await ended(started.child)
      await started.log.until('its line', () => true)
      return [started.child.exitCode, ...started.log.all]
    }

    it('and code 75 when nothing was delivered in time', async () => {
      boot = await startBootstrap({ waitSeconds: 1 })
      assert.deepEqual(await endOf(boot), [75, 'standin agent: nothing was delivered within 1 s'])
    })

    it('and code 98 when the port is taken', async () => {
      const holder = createServer().listen(0, '127.0.0.1')
      await once(holder, 'listening')
      const { port } = holder.address() as AddressInfo
      boot = await startBootstrap({ port, unlistened: true })
      const [code, line] = await endOf(boot)
      assert.equal(code, 98)
      assert.match(String(line), /^standin agent: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/)
      holder.close()
    })

    it('and code 78 when its Node.js cannot use the key', async () => {
      boot = await startBootstrap({ unlistened: true, encodedKey: 'AAAA' })
      const [code, line] = await endOf(boot)
      assert.equal(code, 78)
      assert.match(String(line), /^standin agent: Node\.js v\d+\.\S+ cannot use an Ed25519 key: /)
    })
  })

  it('ends at SIGTERM, as pid 1 too', async () => {
    const through = ['unshare', '--pid', '--fork', '--mount-proc', '--']
    boot = await startBootstrap({ through })
    await pod.namespace.run('sh', '-c', `kill -TERM $(cat /proc/${boot.child.pid}/task/*/children)`)
    await ended(boot.child)
    assert.equal(boot.child.exitCode, 0)
  })
})

// The program in the arguments of the agent's container: lets the one server that can sign bring the agent's code, and runs it. See protocol/agent/delivery.ts.
//
// It is minified into the container's arguments, hence its brevity; it parses on any Node.js since 12, so that an old one is told by the
// server, which sees its version in the offer, instead of by a syntax error.
import { createHash, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { brotliDecompressSync } from 'node:zlib'
import { bootstrapExit, deliveryBounds, deliveryText } from '../protocol/agent/delivery-text.ts'

const [, encodedKey = '', hash, port, seconds] = process.argv
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const end = (code: number, text: string): never => {
  process.stderr.write(`standin agent: ${text}\n`)
  return process.exit(code)
}
// As pid 1 of a container it would not even see a signal that it does not handle.
process.on('SIGTERM', () => process.exit(0))

let key: KeyObject
try {
  key = createPublicKey({ key: Buffer.from(encodedKey, 'base64'), format: 'der', type: 'spki' })
} catch (error) {
  end(bootstrapExit.unfit, `Node.js ${process.version} cannot use an Ed25519 key: ${error}`)
}
// The loader that is mapped tells the C library; both may be installed.
const libc = readFileSync('/proc/self/maps', 'latin1').indexOf('/ld-musl') < 0 ? 'glibc' : 'musl'
const platform = `${process.platform}-${process.arch}-${libc}`
const waiting = setTimeout(
  () => end(bootstrapExit.waited, `nothing was delivered within ${seconds} s`),
  Number(seconds) * 1e3,
)
const greeting = new Set<Socket>()
let running = false

const server = createServer(socket => {
  const nonce = randomBytes(32).toString('hex')
  const close = () => socket.destroy()
  let got = Buffer.alloc(0)
  let wanted: { argv: string[]; manifestBytes: number; bundleBytes: number } | undefined
  socket.on('error', close)
  if (running) return close()
  let timer = setTimeout(close, deliveryBounds.greetingMs)
  socket.on('close', () => {
    clearTimeout(timer)
    greeting.delete(socket)
  })
  greeting.add(socket)
  if (greeting.size > deliveryBounds.greeting)
    for (const oldest of [...greeting].slice(0, 1)) oldest.destroy()
  const take = (chunk: Buffer) => {
    got = Buffer.concat([got, chunk])
    if (!wanted) {
      const at = got.indexOf(10)
      if (at < 0 && got.length <= deliveryBounds.headerBytes) return
      const header = JSON.parse(got.toString('utf8', 0, at))
      const { argv, signature, manifestBytes, bundleBytes } = header
      if (
        !verify(null, deliveryText(nonce, argv), key, Buffer.from(signature, 'hex')) ||
        !(manifestBytes > 0 && bundleBytes > 0 && manifestBytes + bundleBytes <= deliveryBounds.bodyBytes)
      )
        return close()
      wanted = header
      got = got.subarray(at + 1)
      greeting.delete(socket)
      clearTimeout(timer)
      timer = setTimeout(close, deliveryBounds.bodyMs)
    }
    const { argv, manifestBytes, bundleBytes } = wanted!
    if (got.length < manifestBytes + bundleBytes) return
    const manifest = got.subarray(0, manifestBytes)
    const bundle = got.subarray(manifestBytes)
    if (running || sha256(manifest) !== hash || manifest.indexOf(`${platform} ${sha256(bundle)}\n`) < 0)
      return close()
    running = true
    clearTimeout(timer)
    clearTimeout(waiting)
    socket.removeListener('data', onData)
    for (const other of greeting) other.destroy()
    const at = bundle.indexOf(10) + 1
    const code = brotliDecompressSync(
      bundle.subarray(at, at + JSON.parse(bundle.toString('utf8', 0, at))[0][1]),
    )
    const agent = { exports: {} as { start(handover: object): void } }
    new Function('module', 'exports', 'require', String(code))(agent, agent.exports, require)
    agent.exports.start({ argv, bundle, connection: socket, server })
  }
  const onData = (chunk: Buffer) => {
    try {
      take(chunk)
    } catch (error) {
      // After a right delivery the fault is in our own code: then the container ends, with the reason in its log.
      if (running) throw error
      close()
    }
  }
  socket.on('data', onData)
  socket.write(`${JSON.stringify({ standin: 1, nonce, platform, node: process.version })}\n`)
})
server.on('error', ({ code, message }: NodeJS.ErrnoException) =>
  end(code === 'EADDRINUSE' ? bootstrapExit.portTaken : 1, `cannot listen on 127.0.0.1:${port}: ${message}`),
)
server.listen(Number(port), '127.0.0.1')

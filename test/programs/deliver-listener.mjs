// A TCP server that says of each connection what it got: one JSON line {"event","port","bytes","hash","error"} on stdout.
// Usage: deliver-listener.mjs MODE PORT [ADDRESS]; prints {"event":"listening","port"} first; SIGTERM ends it. The modes:
//   hash    answers with the SHA-256 of all bytes when the other end has ended its half, then ends its own
//   silent  accepts and never reads
//   greet   says "hello" and ends its half at once, with event "greeted"
//   hang-up reads the first bytes, answers "bye" as HTTP until the end, and closes, with event "hung-up"
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

const [mode, port, address] = process.argv.slice(2)
const say = line => process.stdout.write(`${JSON.stringify(line)}\n`)

const server = createServer({ allowHalfOpen: true, pauseOnConnect: mode === 'silent' }, socket => {
  const from = { port: socket.remotePort }
  const hash = createHash('sha256')
  let bytes = 0
  say({ event: 'accepted', ...from })
  socket.on('error', error => say({ event: 'failed', ...from, bytes, error: error.code }))
  if (mode === 'silent') return
  if (mode === 'greet') socket.end('hello', () => say({ event: 'greeted', ...from }))
  if (mode === 'hang-up') socket.once('close', () => say({ event: 'hung-up', ...from }))
  socket.on('data', chunk => {
    hash.update(chunk)
    bytes += chunk.length
    if (mode === 'hang-up') socket.end('HTTP/1.1 200 OK\r\n\r\nbye', () => socket.destroy())
  })
  socket.on('end', () => {
    const digest = hash.digest('hex')
    if (mode !== 'greet') socket.end(digest)
    say({ event: 'ended', ...from, bytes, hash: digest })
  })
})
server.listen({ port: Number(port), host: address ?? '127.0.0.1', backlog: 511 }, () =>
  say({ event: 'listening', port: server.address().port }),
)
process.on('SIGTERM', () => process.exit(0))

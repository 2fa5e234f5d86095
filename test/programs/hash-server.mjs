// An HTTP server that says of each request who sent it and what it was: one line "PATH SHA256 BYTES ADDRESS PORT LOCALPORT" on stdout.
// Usage: hash-server.mjs PORT [ADDRESS]; prints "listening PORT" first; SIGTERM ends it.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const [port, address = '0.0.0.0'] = process.argv.slice(2)
const server = createServer((request, response) => {
  const { remoteAddress, remotePort, localPort } = request.socket
  const hash = createHash('sha256')
  let bytes = 0
  request.on('data', chunk => {
    hash.update(chunk)
    bytes += chunk.length
  })
  request.on('end', () => {
    const digest = hash.digest('hex')
    process.stdout.write(`${request.url} ${digest} ${bytes} ${remoteAddress} ${remotePort} ${localPort}\n`)
    response.end(digest)
  })
})
server.keepAliveTimeout = 30_000
server.listen(Number(port), address, () => process.stdout.write(`listening ${server.address().port}\n`))
process.on('SIGTERM', () => process.exit(0))

// A Node http server: libuv accepts without an address buffer and asks getpeername.
import { writeSync } from 'node:fs'
import { createServer } from 'node:http'

const [port, address = '0.0.0.0'] = process.argv.slice(2)
const server = createServer((request, response) => {
  const { remoteAddress, remotePort, localAddress, localPort } = request.socket
  const id = request.url.slice(1)
  writeSync(1, `conn ${id} - - ${remoteAddress} ${remotePort} ${localAddress} ${localPort}\n`)
  response.setHeader('connection', 'close')
  response.end(`ok ${id}`)
})
server.listen(Number(port), address, () => writeSync(1, `ready ${server.address().port}\n`))

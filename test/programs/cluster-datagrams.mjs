// A cluster worker with a UDP socket that the primary has made for it sends to ADDRESS PORT, and prints that it was sent, or the error.
import cluster from 'node:cluster'
import { createSocket } from 'node:dgram'
import { readlinkSync, writeSync } from 'node:fs'

const [address, port] = process.argv.slice(2)
if (cluster.isPrimary) {
  cluster.setupPrimary({ args: [address, port] })
  cluster.fork().on('exit', code => process.exit(code))
} else {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, () => {
    const { fd } = socket._handle
    const isSocket = readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    socket.send('of a worker', Number(port), address, error => {
      const result = error === null ? 'sent' : error.code
      writeSync(1, `${JSON.stringify({ way: 'cluster', result, number: isSocket ? fd : null })}\n`)
      process.exit(0)
    })
  })
}

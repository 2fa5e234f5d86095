// Makes many connections, some at once, each with random bytes of random length, a half-close, and a read to the end.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

const [host, port, count, atOnce, largest] = process.argv.slice(2)

const randomLength = () => Math.floor(Number(largest) * Math.random() ** 4)

async function call() {
  const socket = connect({ host, port: Number(port), allowHalfOpen: true })
  const bytes = randomBytes(8 + randomLength())
  bytes.writeUInt32BE(randomLength(), 0)
  const ended = once(socket, 'end')
  socket.resume()
  const cut = Math.floor(bytes.length * Math.random())
  socket.write(bytes.subarray(0, cut))
  setImmediate(() => socket.end(bytes.subarray(cut)))
  await ended
}

let left = Number(count)
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) await call()
  }),
)

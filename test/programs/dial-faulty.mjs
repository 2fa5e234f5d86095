// Makes COUNT connections to HOST PORT, 50 at a time, of which about one in a hundred each is refused, has no way, is given up at once, is reset
// when it stands, or is closed with its answer unread; says how each kind came out.
import { connect } from 'node:net'

const [count, host, port] = process.argv.slice(2)
const to = { host, port: Number(port) }
const outcomes = {}
const tell = outcome => {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
}
/** The same faults in each run: every kind once in a hundred, in places that do not line up with the 50. */
const kinds = { 7: 'refused', 23: 'no way', 41: 'given up', 59: 'reset', 83: 'unread' }
const request = 'GET /number HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'

function dial(number) {
  const kind = kinds[(number * 37) % 100] ?? 'whole'
  const place =
    { refused: { host, port: to.port + 1 }, 'no way': { host: '192.0.2.1', port: to.port } }[kind] ?? to
  const socket = connect(place)
  let heard = ''
  socket.on('connect', () => {
    if (kind === 'reset') socket.resetAndDestroy()
    else socket.write(request)
  })
  socket.on('data', part => {
    heard += part
    if (kind === 'unread') socket.destroy()
  })
  let failed
  socket.on('error', error => {
    failed = error.code
  })
  if (kind === 'given up') setImmediate(() => socket.destroy())
  return new Promise(resolve =>
    socket.on('close', () => {
      const isWhole = heard.endsWith('/number from 10.77.0.1\n')
      tell(`${kind}: ${failed ?? (kind === 'whole' ? (isWhole ? 'right' : 'cut') : 'closed')}`)
      resolve()
    }),
  )
}

let next = 0
async function some() {
  while (next < Number(count)) await dial(next++)
}
await Promise.all(Array.from({ length: 50 }, some))
console.log(JSON.stringify(outcomes))

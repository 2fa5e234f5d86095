// Serves TCP: the first 8 bytes ask for an answer's length (4) and name its seed (4); all else is read; both ends' hashes are printed.
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

const [host, port] = process.argv.slice(2)

/** Bytes that follow from a seed, so that no two answers are alike. */
function answer(length, seed) {
  const bytes = Buffer.alloc(length)
  let state = seed || 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

createServer({ allowHalfOpen: true }, socket => {
  const received = createHash('sha256')
  let head = Buffer.alloc(0)
  socket.on('data', chunk => {
    received.update(chunk)
    if (head.length < 8) head = Buffer.concat([head, chunk]).subarray(0, 8)
  })
  socket.on('end', () => {
    const bytes = answer(head.readUInt32BE(0), head.readUInt32BE(4))
    socket.end(bytes)
    const sent = createHash('sha256').update(bytes).digest('hex')
    const caller = { address: socket.remoteAddress, port: socket.remotePort }
    console.log(JSON.stringify({ caller, received: received.digest('hex'), sent, sentBytes: bytes.length }))
  })
  socket.on('error', fault => console.log(JSON.stringify({ fault: fault.message })))
}).listen(Number(port), host, () => console.log(JSON.stringify({ listening: true })))

// Runs in a pod of the channel tests: sends and receives what the first line of a connection orders, and tells what it saw.
const { createCipheriv, createHash } = require('node:crypto')
const net = require('node:net')

/** By the name of each order: how much was sent and received, and how it ended. */
const seen = {}
const wait = ms => new Promise(resolve => setTimeout(resolve, ms))
const pause = () => (Math.random() < 0.03 ? wait(1 + Math.random() * 20) : undefined)

/** As keystream() of channel-pod.ts. */
function keystream(seed) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return bytes => cipher.update(Buffer.alloc(bytes))
}

async function send(socket, order, record) {
  const next = keystream(order.seed ?? 'a')
  let left = order.endless ? Number.POSITIVE_INFINITY : (order.send ?? 0)
  while (left > 0 && !socket.destroyed) {
    const bytes = next(Math.min(left, order.pauses ? 1 + Math.floor(Math.random() * 200_000) : 65_536))
    left -= bytes.length
    await new Promise(resolve => socket.write(bytes, resolve))
    record.sent += bytes.length
    if (order.pauses) await pause()
  }
}

async function receive(socket, order, record, first) {
  const hash = createHash('sha256')
  const take = bytes => {
    record.received += bytes.length
    hash.update(bytes)
  }
  take(first)
  while (record.received < (order.receive ?? 0)) {
    const bytes = socket.read()
    if (bytes !== null) take(bytes)
    else if (socket.readableEnded || socket.destroyed) break
    else await change(socket)
    if (order.pauses) await pause()
  }
  return hash.digest('hex')
}

/** Resolves when there is more to read, or nothing more will come. */
function change(socket) {
  return new Promise(resolve => {
    const events = ['readable', 'end', 'close']
    const changed = () => {
      for (const event of events) socket.off(event, changed)
      resolve()
    }
    for (const event of events) socket.on(event, changed)
  })
}

async function obey(socket, order, first) {
  const record = { sent: 0, received: 0, ended: false, closed: false }
  seen[order.name ?? 'unnamed'] = record
  socket.on('end', () => (record.ended = true))
  socket.on('close', () => (record.closed = true))
  if (order.stall) return
  if (order.delayMs) await wait(order.delayMs)
  if (order.endFirst) socket.end('the end')
  const [, hash] = await Promise.all([send(socket, order, record), receive(socket, order, record, first)])
  if (order.reset) return socket.resetAndDestroy()
  if (order.receive > 0) socket.write(`${JSON.stringify({ received: record.received, hash })}\n`)
  socket.end()
  socket.resume()
}

net
  .createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    let head = Buffer.alloc(0)
    const look = () => {
      for (let bytes = socket.read(); bytes !== null; bytes = socket.read()) {
        head = Buffer.concat([head, bytes])
        const end = head.indexOf(10)
        if (end < 0) continue
        socket.off('readable', look)
        obey(socket, JSON.parse(head.toString('utf8', 0, end)), head.subarray(end + 1))
        return
      }
    }
    socket.on('readable', look)
  })
  .listen(7000)
net
  .createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  .listen(7001)
net
  .createServer(socket => {
    socket.on('error', () => {})
    socket.end(`${JSON.stringify(seen)}\n`)
  })
  .listen(7002, () => console.log('ready'))

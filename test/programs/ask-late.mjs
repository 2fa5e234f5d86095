// A Node server, which accepts without an address buffer and asks nothing about a connection before it is told to: the first bytes of
// each connection are a word. "quiet" asks nothing; "ask" prints "asked PEER PORT OWN PORT"; "half" ends its own side and waits for the next;
// "connect ADDRESS PORT" prints the same of a connection that it makes itself, and ends its own side.
import { connect, createServer } from 'node:net'

const say = line => process.stdout.write(`${line}\n`)
const ask = socket =>
  say(`asked ${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`)
const server = createServer({ allowHalfOpen: true }, socket => {
  socket.setEncoding('utf8')
  socket.on('error', () => say('reset'))
  socket.on('data', word => {
    const [verb, host, port] = word.split(' ')
    if (verb === 'ask') return ask(socket)
    say(verb)
    if (verb === 'half') socket.end()
    if (verb !== 'connect') return
    const made = connect({ host, port: Number(port) }, () => {
      ask(made)
      made.destroy()
      socket.end()
    })
  })
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => say('ready'))

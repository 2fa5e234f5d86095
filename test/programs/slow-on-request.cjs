// The demo's shop on a bad day: from SIGUSR2 on it thinks about each answer for 100 ms, until SIGUSR1.
const { createServer } = require('node:http')

let thinking = false
process.on('SIGUSR2', () => {
  thinking = true
})
process.on('SIGUSR1', () => {
  thinking = false
})
createServer((request, response) => {
  const { remoteAddress, remotePort } = request.socket
  const answer = { shop: 'pod', item: request.url, caller: `${remoteAddress}:${remotePort}` }
  setTimeout(() => response.end(JSON.stringify(answer)), thinking ? 100 : 0)
}).listen(8080, '0.0.0.0', () => console.log('listening'))

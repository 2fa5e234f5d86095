// The demo's pod: a small shop that answers every caller with what it bought and who it is.
const { createServer } = require('node:http')

createServer((request, response) => {
  const { remoteAddress, remotePort } = request.socket
  const answer = { shop: 'pod', item: request.url, caller: `${remoteAddress}:${remotePort}` }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answer))
}).listen(8080, '0.0.0.0', () => console.log('listening'))

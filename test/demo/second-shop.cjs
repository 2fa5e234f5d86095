// The demo's second program: the version on your machine. It knows nothing of standin, prints what it gets, and answers differently.
const { createServer } = require('node:http')

createServer((request, response) => {
  const { remoteAddress, remotePort } = request.socket
  console.log(
    JSON.stringify({ method: request.method, item: request.url, caller: `${remoteAddress}:${remotePort}` }),
  )
  response.end(JSON.stringify({ shop: 'second', item: request.url, caller: 'nobody should see this' }))
}).listen(8080, '0.0.0.0', () => console.log(JSON.stringify({ ready: process.env.SHOP_REGION ?? 'nowhere' })))

process.on('SIGTERM', () => process.exit(0))

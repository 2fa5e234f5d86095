// Run on this machine in a session's place of a pod: prints a variable of its environment, then what each connection brings, and answers nothing.
const { createServer } = require('node:net')
const [port, variable] = process.argv.slice(2)
console.log(`${variable}=${process.env[variable]}`)
let connections = 0
createServer(socket => {
  const number = ++connections
  socket.on('error', () => {})
  socket.on('data', bytes => console.log(`${number} ${JSON.stringify(bytes.toString('latin1'))}`))
  socket.on('end', () => socket.end())
}).listen(Number(port), '0.0.0.0', () => console.log('listening'))
process.on('SIGTERM', () => process.exit(0))

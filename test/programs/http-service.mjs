// Answers every request with its path and its caller's address.
import { createServer } from 'node:http'

const server = createServer((request, answer) => {
  const caller = request.socket.remoteAddress.replace('::ffff:', '')
  answer.end(`${request.url} from ${caller}\n`)
})
server.listen(Number(process.argv[2]), '::', () => console.log('listening'))

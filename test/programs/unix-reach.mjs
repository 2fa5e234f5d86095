// Connects to a Unix socket, sends so many bytes, ends its side, and prints how many came back and whether they are the same; or the error's code.
import { connect } from 'node:net'

const [path, size] = process.argv.slice(2)
const sent = Buffer.alloc(Number(size), 'abcdefghijk')
const parts = []
const socket = connect({ path, allowHalfOpen: true })
socket.on('error', error => console.log(error.code))
socket.on('data', part => parts.push(part))
socket.on('end', () => console.log(Buffer.concat(parts).length, Buffer.concat(parts).equals(sent)))
socket.end(sent)

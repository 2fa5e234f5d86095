// Carries the messages of a process's socket that keeps their boundaries to the server and back, as frames in the bytes of a stream.
import { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { Readiness } from '../protocol/sequenced/readiness.ts'
import { openSequenced } from '../protocol/sequenced/socket.ts'
import { SequencedStream } from '../protocol/sequenced/stream.ts'
import { close, duplicate } from './linux/libc.ts'
import { openPair, sequencedCalls } from './linux/sequenced.ts'

const readiness = new Readiness(sequencedCalls)

/** The server's end, owned by the caller; or a negative errno. Takes the process's connection over. */
export function carryMessages(connection: number): number {
  const pair = openPair()
  if (typeof pair === 'number') {
    close(connection)
    return pair
  }
  const [near, far] = pair
  const messages = new SequencedStream(openSequenced(connection, readiness, sequencedCalls))
  const socket = new Socket({ fd: near, allowHalfOpen: true, readable: true, writable: true })
  watchHangup(near, socket, messages)
  // Whatever fails, both are destroyed, which the server and the process see as an end.
  pipeline(messages, socket, messages, () => {})
  return far
}

/** A server that has closed its end altogether, and not only said its last, takes nothing more: the process is to hear of that as from any socket. */
function watchHangup(near: number, socket: Socket, messages: SequencedStream): void {
  const watched = duplicate(near)
  const destroy = () => void messages.destroy()
  readiness.wait({
    descriptor: watched,
    events: 0,
    ready: () => {
      if (messages.writableFinished) destroy()
      else messages.once('finish', destroy)
    },
  })
  socket.once('close', () => readiness.close(watched))
}

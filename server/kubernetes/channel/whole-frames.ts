// Lets a frame of a WebSocket go out as one buffer: ws writes its head and its message apart, and of several buffers Node's TLS makes one in new
// memory each time.
import type { Writable } from 'node:stream'
import { withHead } from './message-memory.ts'

type Chunks = Parameters<NonNullable<Writable['_writev']>>[0]
type Done = (error?: Error | null) => void

/** For the connection below a WebSocket, before anything but the handshake was written to it. */
export function writeWholeFrames(connection: Writable): void {
  const writev = connection._writev?.bind(connection)
  if (writev === undefined) return
  connection._writev = (chunks: Chunks, done: Done) => {
    const [head, message] = chunks
    const whole = chunks.length === 2 ? withHead(head!.chunk, message!.chunk) : undefined
    if (whole === undefined) writev(chunks, done)
    else connection._write(whole, 'buffer' as BufferEncoding, done)
  }
}

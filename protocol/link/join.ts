// Joins a stream of the link with a socket: bytes both ways under back-pressure, each direction's end by itself, a reset as a reset.
import type { Socket } from 'node:net'
import type { LinkStream } from './link-stream.ts'

/** What may wait in the stream before the socket is read no further. */
const highWaterBytes = 1 << 20

/** The socket must not end its side by itself (`allowHalfOpen`). `over` is called once, when nothing more moves either way. */
export function joinStream(stream: LinkStream, socket: Socket, over: () => void = () => {}): void {
  let reset = false
  const resetBoth = (reason: string) => {
    if (reset) return
    reset = true
    stream.reset(reason)
    socket.resetAndDestroy()
  }
  stream.events = {
    data: ({ bytes }) => {
      if (socket.destroyed || socket.writableEnded) stream.grant(bytes.length)
      else socket.write(bytes, () => stream.grant(bytes.length))
    },
    end: () => socket.end(),
    reset: resetBoth,
    drain: () => socket.resume(),
  }
  socket.on('data', bytes => {
    stream.write({ bytes })
    if (stream.queuedBytes > highWaterBytes) socket.pause()
  })
  socket.on('end', () => stream.end())
  socket.on('error', error => resetBoth((error as NodeJS.ErrnoException).code ?? error.message))
  socket.on('close', () => {
    // Both ends were said, or the socket was taken away from outside.
    if (!reset && !(socket.readableEnded && socket.writableFinished)) resetBoth('ECONNRESET')
    over()
  })
}

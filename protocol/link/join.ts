// Joins a stream of the link with a socket: bytes both ways under back-pressure, each direction's end by itself, a reset as a reset.
import type { Socket } from 'node:net'
import type { LinkStream } from './link-stream.ts'

/** What may wait in the stream before the socket is read no further. */
const highWaterBytes = 1 << 20

/**
 * libuv takes a reset for an end where bytes came just before it (uv__stream_io, POLLHUP after a partial read). To write nothing tells: it fails
 * on a socket that was reset, and is no matter for another.
 */
const nothing = Buffer.alloc(0)

/** The socket must not end its side by itself (`allowHalfOpen`). `over` is called once, when nothing more moves either way. */
export function joinStream(stream: LinkStream, socket: Socket, over: () => void = () => {}): void {
  let reset = false
  const resetBoth = (reason: string) => {
    if (reset) return
    reset = true
    stream.reset(reason)
    resetSocket(socket)
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
  socket.on('end', () => {
    if (socket.writableEnded || socket.writableLength > 0) stream.end()
    else socket.write(nothing, error => error ?? stream.end())
  })
  socket.on('error', error => resetBoth((error as NodeJS.ErrnoException).code ?? error.message))
  socket.on('close', () => {
    // Both ends were said, or the socket was taken away from outside.
    if (!reset && !(socket.readableEnded && socket.writableFinished)) resetBoth('ECONNRESET')
    over()
  })
}

/** What an end that was said may still take to go out. */
const endingMs = 1_000

/**
 * libuv resets no socket whose end was said (EINVAL), and Node forgets it then without closing it. Such a one is closed: its peer has heard the
 * end, and whatever it says from then on is answered with a reset.
 */
export function resetSocket(socket: Socket): void {
  if (!socket.writableEnded) {
    resetAndDestroy(socket)
    return
  }
  if (socket.writableFinished) {
    socket.destroy()
    return
  }
  const timer = setTimeout(() => socket.destroy(), endingMs)
  socket.once('finish', () => socket.destroy()).once('close', () => clearTimeout(timer))
}

/** A Unix socket knows no reset: its peer sees an end. */
function resetAndDestroy(socket: Socket): void {
  try {
    socket.resetAndDestroy()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_HANDLE_TYPE') throw error
    socket.destroy()
  }
}

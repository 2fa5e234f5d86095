// Joins a stream of the link with a socket: bytes both ways under back-pressure, each direction's end by itself, a reset as a reset.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { LinkStream } from './link-stream.ts'
import { ReadingSocket } from './reading-socket.ts'

/** What may wait in the stream before the socket is read no further. */
const highWaterBytes = 1 << 20

/**
 * libuv takes a reset for an end where bytes came just before it (uv__stream_io, POLLHUP after a partial read). To write nothing tells: it fails
 * with ECONNRESET on a connection that was reset. EPIPE says that its peer had ended it before; then all was read.
 */
const nothing = Buffer.alloc(0)
const isReset = (error: Error): boolean => (error as NodeJS.ErrnoException).code === 'ECONNRESET'

/** The socket must not end its side by itself (`allowHalfOpen`). `over` is called once, when nothing more moves either way. */
export function joinStream(stream: LinkStream, socket: Duplex, over: () => void = () => {}): void {
  const lending = socket instanceof ReadingSocket ? socket : undefined
  lending?.lend()
  let reset = false
  let asking = false
  /** Nothing can be written any more, though nothing that was read is lost. */
  let deaf = false
  const resetBoth = (reason: string) => {
    if (reset) return
    reset = true
    stream.reset(reason)
    resetSocket(socket)
  }
  const askAndEnd = () => {
    asking = true
    socket.write(nothing, error => {
      if (error == null) asking = false
      if (!reset && (error == null || !isReset(error))) stream.end()
    })
  }
  stream.events = {
    data: ({ bytes }) => {
      if (deaf) resetBoth('EPIPE')
      else if (socket.destroyed || socket.writableEnded) stream.grant(bytes.length)
      else socket.write(bytes, () => stream.grant(bytes.length))
    },
    end: () => socket.end(),
    reset: resetBoth,
    drain: () => {
      lending?.letGo(stream.queuedBytes)
      socket.resume()
    },
  }
  socket.on('data', bytes => {
    stream.write({ bytes })
    lending?.letGo(stream.queuedBytes)
    if (stream.queuedBytes > highWaterBytes) socket.pause()
  })
  socket.on('end', () => {
    if (socket.writableEnded || socket.writableLength > 0) stream.end()
    else askAndEnd()
  })
  socket.on('error', error => {
    if (asking && !isReset(error)) deaf = true
    else resetBoth((error as NodeJS.ErrnoException).code ?? error.message)
  })
  socket.on('close', () => {
    // Both ends were said, or the socket was taken away from outside.
    if (!reset && !deaf && !(socket.readableEnded && socket.writableFinished)) resetBoth('ECONNRESET')
    over()
  })
}

/** What an end that was said may still take to go out. */
const endingMs = 1_000

/**
 * libuv resets no socket whose end was said (EINVAL), and Node forgets it then without closing it. Such a one is closed: its peer has heard the
 * end, and whatever it says from then on is answered with a reset.
 */
export function resetSocket(socket: Duplex): void {
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

/** A Unix socket knows no reset: its peer sees an end. What is no socket of Node's is one. */
function resetAndDestroy(socket: Duplex | Socket): void {
  if (!('resetAndDestroy' in socket)) {
    socket.destroy()
    return
  }
  try {
    socket.resetAndDestroy()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_HANDLE_TYPE') throw error
    socket.destroy()
  }
}

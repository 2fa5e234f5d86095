// Ends a TCP connection with RST.
import type { Socket } from 'node:net'

/** A connect that the kernel has finished is seen by the event loop within this time, unless it is not finished at all. */
const lastConnectMs = 50

/**
 * libuv refuses to reset while a shutdown is under way, and Node then leaves the socket open. Delivery shuts down only when no bytes
 * wait, so such a shutdown is over at the next turn of the event loop. A connect that is under way is given up; but the process may
 * have accepted it already, and is to see a reset then, not an ordinary end.
 */
export function sendReset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.writableEnded && !socket.writableFinished && !socket.connecting) {
    socket.once('finish', () => sendReset(socket))
    return
  }
  // After a timer the event loop looks at its sockets once more before it comes to immediates.
  if (socket.connecting) setTimeout(() => setImmediate(() => socket.destroy()), lastConnectMs)
  socket.resetAndDestroy()
}

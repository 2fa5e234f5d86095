// Ends a TCP connection with RST.
import type { Socket } from 'node:net'

/**
 * libuv refuses to reset while a shutdown is under way, and Node then leaves the socket open. Delivery shuts down only when no bytes
 * wait, so such a shutdown is over at the next turn of the event loop. A connect that is under way is only given up: Node would wait for it.
 */
export function sendReset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.connecting) socket.destroy()
  else if (socket.writableEnded && !socket.writableFinished) socket.once('finish', () => sendReset(socket))
  else socket.resetAndDestroy()
}

// Ends a TCP connection with RST alone, so that the other end can't take what it got for all there was.
import type { Socket } from 'node:net'

/**
 * Node's own `resetAndDestroy` shuts the socket down first, which sends FIN before RST: a process that reads in between sees an ordinary
 * end, and a body that lasts until the end of the connection would look whole. `resetAndClosing` is the mark by which Node's `destroy`
 * resets instead of closing; where a version does not know it, what happens is a plain close.
 */
export function sendReset(socket: Socket): void {
  if (socket.destroyed) return
  // libuv refuses to reset while a shutdown is under way; that one is over at the next turn, since it waits for no bytes.
  if (socket.writableEnded && !socket.writableFinished) socket.once('finish', () => sendReset(socket))
  else {
    Object.assign(socket, { resetAndClosing: true })
    socket.destroy()
  }
}

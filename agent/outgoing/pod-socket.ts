// A TCP connection of the pod's, to be joined with a stream of the link.
import { ReadingSocket } from '../../protocol/link/reading-socket.ts'

/** What the process asks of its socket stays on its machine, and what is idle for long is dropped by many networks. */
const keepAliveMs = 30_000

/** In progress; the address is one, not a name. */
export function connectFromPod(to: { host: string; port: number }): ReadingSocket {
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveMs }
  return new ReadingSocket({ allowHalfOpen: true, noDelay: true, ...keepAlive }).connect(to)
}

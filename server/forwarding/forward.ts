// One forward: a listener of this machine, and its connections, each joined with one that the pod makes.
import type { Server, Socket } from 'node:net'
import type { Dial } from '../../protocol/agent/control.ts'
import { joinStream, resetSocket } from '../../protocol/link/join.ts'
import { readingSocketOf } from '../../protocol/link/reading-socket.ts'
import type { PodEnd } from '../../protocol/rpc/port-ends.ts'
import { Complaints } from './complaints.ts'
import type { Dials } from './dials.ts'

export type ForwardOptions = {
  server: Server
  remote: PodEnd
  dials: Dials
  /** A sentence for the user: why a connection was reset. */
  onRefused(text: string): void
  /** A sentence for the log. */
  onNotice(text: string): void
}

export class Forward {
  readonly #options: ForwardOptions
  readonly #sockets = new Set<Socket>()
  readonly #complaints: Complaints

  constructor(options: ForwardOptions) {
    this.#options = options
    this.#complaints = new Complaints(text => options.onRefused(text))
    options.server
      .on('connection', socket => this.#accept(socket))
      .on('error', error => options.onNotice(`A forwarded connection was not taken: ${error.message}`))
  }

  /** Nothing listens any more when this returns, and what was open is reset. */
  close(): void {
    this.#complaints.end()
    this.#options.server.close()
    for (const socket of this.#sockets) resetSocket(socket)
  }

  #accept(accepted: Socket): void {
    const { dials, remote } = this.#options
    const socket = readingSocketOf(accepted)
    this.#sockets.add(socket)
    // Until it is joined nothing is read of it, so that its writer waits.
    const abandon = dials.dial(dialOf(remote), {
      dialled: stream => {
        joinStream(stream, socket)
        socket.resume()
      },
      failed: errno => {
        resetSocket(socket)
        this.#complaints.add(placeOf(remote), errno)
      },
    })
    // After an error it closes, and until it is joined nobody else listens for one.
    socket
      .on('error', () => {})
      .once('close', () => {
        this.#sockets.delete(socket)
        abandon()
      })
  }
}

function dialOf(remote: PodEnd): Dial {
  return 'path' in remote ? { dial: 'unix', path: remote.path } : { dial: 'host', ...remote }
}

export function placeOf(remote: PodEnd): string {
  if ('path' in remote) return remote.path
  return remote.host.includes(':') ? `[${remote.host}]:${remote.port}` : `${remote.host}:${remote.port}`
}

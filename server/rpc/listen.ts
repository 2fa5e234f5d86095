// Accepts clients on a private socket, and serves them one after the other.
import { lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Failure } from '../../protocol/errors.ts'
import { encodeMessage } from './framing.ts'
import type { ServedClient } from './serve-client.ts'

type Place = { path: string } | { host: string; port: number }

export type Listening = {
  /** "unix:PATH" or "tcp:PORT", with the port that was given. */
  readonly address: string
  /** Ends the client that is served and accepts no other; resolves when it is over. */
  close(): Promise<void>
}

/** Throws the system's error when the place cannot be had. */
export async function listenForClients(
  at: Place,
  serve: (socket: Socket) => ServedClient,
): Promise<Listening> {
  let current: ServedClient | undefined
  const server = createServer({ allowHalfOpen: false }, socket => {
    socket.on('error', () => socket.destroy())
    if (current !== undefined) return refuse(socket)
    socket.setNoDelay?.(true)
    const client = serve(socket)
    current = client
    void client.done.then(() => {
      socket.destroy()
      current = undefined
    })
  })
  if ('path' in at) await removeStale(at.path)
  await listen(server, at)
  return {
    address: 'path' in at ? `unix:${at.path}` : `tcp:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close()
      current?.end()
      await current?.done
    },
  }
}

/** The socket is made with mode 0600 from its first moment: bind(2) happens within the call. */
function listen(server: Server, at: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const mask = 'path' in at ? process.umask(0o177) : undefined
    try {
      server.listen(at, resolve)
    } finally {
      if (mask !== undefined) process.umask(mask)
    }
  })
}

/** A second client is told why before it is turned away. */
function refuse(socket: Socket): void {
  const { code, message, data } = new Failure('request-invalid', {
    reason: 'another client is connected, and one is served at a time',
  })
  socket.end(encodeMessage({ jsonrpc: '2.0', id: null, error: { code, message, data } }))
  setTimeout(() => socket.destroy(), 1_000).unref()
}

/** A killed server leaves its socket file: it is removed if it is a socket of this user that nobody answers on. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (!found?.isSocket() || found.uid !== process.getuid?.()) return
  const answered = await new Promise<boolean>(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', error => resolve((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED'))
  })
  if (!answered) await unlink(path).catch(() => {})
}

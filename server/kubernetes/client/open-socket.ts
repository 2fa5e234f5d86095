// A socket that opens: how it is set, when it is open, and the host and port of a URL.
import type { Socket } from 'node:net'

/** The system asks a silent peer whether it still lives after 30 s. */
export const tcpOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }

/** The socket when it has emitted `event`; destroyed when it fails or the signal aborts. */
export function opened<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const closed = () => fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }))
    const abort = () => fail(signal.reason)
    const open = () => {
      settle()
      resolve(socket)
    }
    const settle = () => {
      socket.off(event, open).off('error', fail).off('close', closed)
      signal.removeEventListener('abort', abort)
    }
    socket.once(event, open).once('error', fail).once('close', closed)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

/** "::1" of "https://[::1]:6443". */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}

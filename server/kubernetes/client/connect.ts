// Opens one connection to an API server: through a proxy if there is one, then TLS, within a deadline.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import { Failure } from '../../../protocol/errors.ts'
import { connectionFailure, silentFailure } from './connection-failure.ts'
import { type ClusterProxy, connectThroughProxy } from './proxy.ts'

/** Where and how to connect; made once for a cluster and an identity. */
export type Place = {
  /** URL of the API server, for errors too. */
  server: URL
  proxy: ClusterProxy | undefined
  /** For name, TCP, proxy and TLS together. */
  connectTimeoutMs: number
  /** Absent for http. */
  tls: { context: SecureContext; serverName: string | undefined; verify: boolean } | undefined
}

/** The system asks a silent peer whether it still lives after 30 s. */
export const tcpOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }

/** Rejects with a `Failure`; nothing stays open then. */
export async function connectTo(place: Place, signal: AbortSignal): Promise<Socket> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), place.connectTimeoutMs)
  try {
    return await connectWithin(place, AbortSignal.any([signal, deadline.signal]))
  } catch (thrown) {
    if (signal.aborted) throw signal.reason
    if (deadline.signal.aborted && !(thrown instanceof Failure))
      throw silentFailure(place.server, place.connectTimeoutMs)
    throw connectionFailure(thrown, place.server)
  } finally {
    clearTimeout(timer)
  }
}

async function connectWithin(place: Place, signal: AbortSignal): Promise<Socket> {
  const host = bareHost(place.server)
  const port = portOf(place.server)
  const socket =
    place.proxy === undefined
      ? await opened(connectTcp({ host, port, ...tcpOptions }), 'connect', signal)
      : await connectThroughProxy(place.proxy, { host, port }, place.server, signal)
  if (place.tls === undefined) return socket
  const { context, serverName, verify } = place.tls
  const name = serverName || host
  const secure: TLSSocket = connectTls({
    socket,
    host: name,
    // An address is checked against the certificate but is no name to send (RFC 6066).
    servername: isIP(name) ? '' : name,
    secureContext: context,
    rejectUnauthorized: verify,
    ALPNProtocols: ['http/1.1'],
  })
  return opened(secure, 'secureConnect', signal)
}

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

// Opens one connection to an API server: through a proxy if there is one, then TLS, within a deadline.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import { Failure } from '../../../protocol/errors.ts'
import { connectionFailure, silentFailure } from './connection-failure.ts'
import { bareHost, opened, portOf, tcpOptions } from './open-socket.ts'
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

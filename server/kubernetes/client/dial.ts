// A WebSocket to the API server, for the channels of port-forward, exec and attach.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import type { DialRequest } from './api.ts'
import { connectionFailure } from './connection-failure.ts'
import { type Conversation, type Party, readRefusal } from './conversation.ts'
import { defaultTimeoutMs, LostConnection, limitOf, urlOf, userAgent } from './send.ts'
import { lostError, refusalError } from './unaccepted.ts'

/** Open, and paused until somebody listens to its messages. Rejects as `Api.dial` says. */
export async function dialWebSocket(conversation: Conversation, request: DialRequest): Promise<WebSocket> {
  const { server } = conversation
  const limit = limitOf(server, request.timeoutMs ?? defaultTimeoutMs, request.signal)
  const { signal, clear } = limit
  try {
    return await conversation.as(signal, party => open(server, request, party, signal), limit)
  } finally {
    clear()
  }
}

function open(
  server: URL,
  request: DialRequest,
  { identity, transport }: Party,
  signal: AbortSignal,
): Promise<WebSocket> {
  const url = urlOf(server, request.path, request.query)
  url.protocol = server.protocol === 'https:' ? 'wss:' : 'ws:'
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = new WebSocket(url, request.protocols.map(asToken), {
      finishRequest: request => {
        translateProtocols(request)
        request.end()
      },
      agent: transport.agent,
      headers: { 'User-Agent': userAgent, ...(identity.headers as Record<string, string>) },
      perMessageDeflate: false,
      // Masks guard against proxies that take data for requests; under TLS there is none, and a mask of zeros costs a quarter of the CPU.
      ...(server.protocol === 'https:' ? { generateMask: (mask: Buffer) => void mask.fill(0) } : {}),
    })
    const fail = (reason: unknown) => {
      settle()
      socket.terminate()
      reject(reason)
    }
    const abort = () => fail(signal.reason)
    const settle = () => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('upgrade', ({ socket: connection }) => request.onConnection?.(connection))
    socket.on('error', error => {
      // After it was opened, `close` follows, which its owner listens to.
      if (socket.readyState === WebSocket.OPEN) return
      const lost = new LostConnection(connectionFailure(error, server), false)
      fail(lostError(lost))
    })
    socket.once('unexpected-response', (_, response) => {
      refusalOf(response, server, request, signal).then(fail, fail)
    })
    socket.once('open', () => {
      settle()
      holdMessages(socket)
      resolve(socket)
    })
  })
}

/** The protocol that the other end chose. */
export const acceptedProtocol = (socket: WebSocket): string => socket.protocol.replaceAll('!', '/')

/**
 * Kubernetes names a protocol "SPDY/3.1+portforward.k8s.io", where RFC 6455 wants a token, in which no slash may stand, and ws refuses anything
 * else. So ws sees a token, and the other end sees the name.
 */
const asToken = (protocol: string): string => protocol.replaceAll('/', '!')

function translateProtocols(request: ClientRequest): void {
  const name = 'sec-websocket-protocol'
  const asked = request.getHeader(name)
  if (asked !== undefined) request.setHeader(name, String(asked).replaceAll('!', '/'))
  request.prependListener('upgrade', ({ headers }: IncomingMessage) => {
    if (headers[name] !== undefined) headers[name] = asToken(headers[name])
  })
}

/** Frames may come with the handshake's own packet, before whoever asked for the socket can listen. */
function holdMessages(socket: WebSocket): void {
  socket.pause()
  const release = (event: string | symbol) => {
    if (event !== 'message') return
    socket.off('newListener', release)
    socket.resume()
  }
  socket.on('newListener', release)
}

async function refusalOf(
  response: IncomingMessage,
  server: URL,
  { asks }: DialRequest,
  signal: AbortSignal,
): Promise<Error> {
  return refusalError(await readRefusal(response, server, signal), asks)
}

// Which proxy a cluster is reached through, and a connection through it.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { SocksClient } from 'socks'
import { Failure } from '../../../protocol/errors.ts'
import { bypassesProxy } from './no-proxy.ts'
import { bareHost, opened, portOf, tcpOptions } from './open-socket.ts'

/** The kubeconfig's `proxy-url`, else what the environment says; undefined for none. Pure. Source: client-go and Go's net/http. */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: NodeJS.ProcessEnv): URL | undefined {
  if (proxyUrl) return proxyOf(proxyUrl, server)
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const set = env[name] || env[name.toLowerCase()]
  if (!set || bypassesProxy(server, env.NO_PROXY || env.no_proxy || '')) return undefined
  return proxyOf(/^[a-z0-9]+:\/\//i.test(set) ? set : `http://${set}`, server)
}

function proxyOf(text: string, server: URL): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^(https?|socks5h?):$/.test(url.protocol) && url.hostname !== '') return url
  throw failed(text.replace(/\/\/[^@/]*@/, '//'), server, 'it is no URL of http, https or socks5')
}

/** `tls`: what is trusted to vouch for a proxy that speaks TLS itself. */
export type ClusterProxy = { url: URL; tls?: SecureContext | undefined }

type Destination = { host: string; port: number }

/** A connection to the destination; rejects with `cluster-proxy-failed`. */
export async function connectThroughProxy(
  proxy: ClusterProxy,
  to: Destination,
  server: URL,
  signal: AbortSignal,
): Promise<Socket> {
  const { url } = proxy
  const shown = `${url.protocol}//${url.host}`
  try {
    return await (url.protocol.startsWith('socks')
      ? throughSocks(url, to, signal)
      : throughHttp(proxy, to, signal))
  } catch (cause) {
    if (signal.aborted) {
      // The deadline says that nobody answered: through a proxy it is not known who.
      throw failed(shown, server, 'it gave no connection in time', cause)
    }
    throw cause instanceof Failure ? cause : failed(shown, server, reasonOf(cause), cause)
  }
}

function failed(proxy: string, server: URL, reason: string, cause?: unknown): Failure {
  return new Failure('cluster-proxy-failed', { server: server.origin, proxy, reason }, { cause })
}

function reasonOf(cause: unknown): string {
  const error = cause instanceof AggregateError ? cause.errors[0] : cause
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'the proxy refused the connection'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no address is known for the name of the proxy'
  if (code === 'ECONNRESET') return 'the proxy closed the connection'
  return `${message.split('\n')[0]?.replace(/[.:]+$/, '')}`
}

async function throughHttp(
  { url: proxy, tls }: ClusterProxy,
  to: Destination,
  signal: AbortSignal,
): Promise<Socket> {
  const at = { host: bareHost(proxy), port: portOf(proxy) }
  const socket = await (proxy.protocol === 'https:'
    ? opened(
        connectTls({
          ...at,
          servername: isIP(at.host) ? '' : at.host,
          ...(tls === undefined ? {} : { secureContext: tls }),
        }),
        'secureConnect',
        signal,
      )
    : opened(connectTcp({ ...at, ...tcpOptions }), 'connect', signal))
  const authority = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const authorization =
    login === ':' ? '' : `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n`
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`)
  try {
    const head = await readHead(socket, signal)
    const status = /^HTTP\/1\.[01] (\d{3})[ ]?([^\r]*)/.exec(head)
    if (status === null) throw new Error('the proxy answered something that is not HTTP')
    if (status[1] === '407') throw new Error('the proxy asks for a login (407)')
    if (!status[1]!.startsWith('2')) throw new Error(`the proxy answered ${status[1]} ${status[2]}`.trim())
    return socket
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    throw error
  }
}

const maxHeadBytes = 64 << 10

/** The head of the answer; what came after it is left in the socket. */
function readHead(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0)
    const settle = (act: () => void) => {
      socket.off('readable', read).off('error', fail).off('close', closed)
      signal.removeEventListener('abort', abort)
      act()
    }
    const fail = (error: unknown) => settle(() => reject(error))
    const closed = () => fail(new Error('the proxy closed the connection'))
    const abort = () => fail(signal.reason)
    const read = () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf('\r\n\r\n')
        if (end >= 0) {
          if (head.length > end + 4) socket.unshift(head.subarray(end + 4))
          return settle(() => resolve(head.toString('latin1', 0, end)))
        }
        if (head.length > maxHeadBytes)
          return fail(new Error('the proxy answered something that is not HTTP'))
      }
    }
    socket.on('readable', read).once('error', fail).once('close', closed)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

/** The proxy looks the name up, as with Go's. */
async function throughSocks(proxy: URL, to: Destination, signal: AbortSignal): Promise<Socket> {
  const socket = await opened(
    connectTcp({ host: bareHost(proxy), port: Number(proxy.port || 1080), ...tcpOptions }),
    'connect',
    signal,
  )
  const abort = () => socket.destroy()
  signal.addEventListener('abort', abort, { once: true })
  try {
    await SocksClient.createConnection({
      command: 'connect',
      destination: to,
      existing_socket: socket,
      proxy: {
        host: bareHost(proxy),
        port: Number(proxy.port || 1080),
        type: 5,
        ...(proxy.username === ''
          ? {}
          : { userId: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) }),
      },
    })
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

// Proxies for a test: CONNECT over TCP or TLS, and SOCKS 5; each says what it was asked and leads everything to one place.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Pair } from './authority.ts'

export type TestProxy = {
  readonly server: Server
  /** Each request's destination, and the login if there was one. */
  readonly asked: string[]
  /** Ends or freezes what goes through it. */
  readonly connections: Set<Socket>
}

function pipeTo(
  { host = '127.0.0.1', port }: { host?: string | undefined; port: number },
  client: Socket,
  connections: Set<Socket>,
): Socket {
  const target = connect(port, host)
  for (const [from, to] of [
    [client, target],
    [target, client],
  ] as const) {
    connections.add(from)
    from.on('close', () => {
      connections.delete(from)
      to.destroy()
    })
    from.on('error', () => {})
    from.pipe(to)
  }
  return target
}

export function connectProxy(
  port: number,
  options: { tls?: Pair; answer?: string; login?: string; host?: string } = {},
): TestProxy {
  const asked: string[] = []
  const connections = new Set<Socket>()
  const serve = async (client: Socket) => {
    client.on('error', () => {})
    let head = ''
    while (!head.includes('\r\n\r\n')) {
      const [chunk] = (await once(client, 'data')) as [Buffer]
      head += chunk.toString('latin1')
    }
    client.pause()
    const login = /^proxy-authorization: basic (\S+)/im.exec(head)?.[1] ?? ''
    const said = Buffer.from(login, 'base64').toString()
    asked.push(`${head.split(' HTTP')[0]}${said === '' ? '' : ` as ${said}`}`)
    if (options.login !== undefined && said !== options.login)
      return client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    if (options.answer !== undefined) return options.answer === '' ? undefined : client.end(options.answer)
    client.write('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n')
    return pipeTo({ host: options.host, port }, client, connections)
  }
  const onClient = (client: Socket) => void serve(client).catch(() => client.destroy())
  const server = options.tls === undefined ? createServer(onClient) : createTlsServer(options.tls, onClient)
  return { server, asked, connections }
}

/** Source: RFC 1928 and 1929. */
export function socksProxy(port: number, options: { login?: string; refuse?: boolean } = {}): TestProxy {
  const asked: string[] = []
  const connections = new Set<Socket>()
  const serve = async (client: Socket) => {
    client.on('error', () => {})
    const next = async () => ((await once(client, 'data')) as [Buffer])[0]
    await next()
    client.write(Buffer.from([5, options.login === undefined ? 0 : 2]))
    let said = ''
    if (options.login !== undefined) {
      const login = await next()
      const user = login.subarray(2, 2 + login[1]!)
      said = ` as ${user}:${login.subarray(3 + user.length)}`
      client.write(Buffer.from([1, said === ` as ${options.login}` ? 0 : 1]))
      if (said !== ` as ${options.login}`) return client.end()
    }
    const request = await next()
    client.pause()
    const name =
      request[3] === 3
        ? request.subarray(5, 5 + request[4]!).toString()
        : [...request.subarray(4, 8)].join('.')
    asked.push(`${name}:${request.readUInt16BE(request.length - 2)}${said}`)
    client.write(Buffer.from([5, options.refuse === true ? 5 : 0, 0, 1, 127, 0, 0, 1, 0, 0]))
    return options.refuse === true ? client.end() : pipeTo({ port }, client, connections)
  }
  const server = createServer(client => void serve(client).catch(() => client.destroy()))
  return { server, asked, connections }
}

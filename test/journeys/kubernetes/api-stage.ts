// A server that speaks as the API server would, or as badly as a test wants, and a client of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TLSSocket } from 'node:tls'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { openApi } from '../../../server/kubernetes/client/open.ts'
import { openLog } from '../../../server/log.ts'
import { Mailbox } from '../../stage/mailbox.ts'
import { type Authority, createAuthority, type Pair } from './authority.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export type ClientOptions = {
  user?: object
  cluster?: object
  /** URL of the server; default that of the stage's https server. */
  server?: string
  env?: NodeJS.ProcessEnv
  connectTimeoutMs?: number
  tell?(level: string, text: string): void
  onStep?(step: string, message: string): void
}

export const asks = { verb: 'list', resource: 'pods', namespace: 'shop' }

/** What a test's servers and clients are, closed together. */
export class ApiStage {
  readonly authority: Authority = createAuthority()
  readonly #open = new Set<{ close(): unknown }>()

  /** An https server on 127.0.0.1, for whose certificate the stage's authority vouches; its port. */
  async serve(answer: Answer, tls: Partial<Pair> & Record<string, unknown> = {}): Promise<number> {
    const pair = this.authority.issue({ cn: 'api', names: ['IP:127.0.0.1', 'DNS:api.test'] })
    return this.listen(createHttps({ ...pair, ...tls }, answer))
  }

  /** One that ends the handshake with an alert when the client's certificate is not valid, as no server of Node does. */
  async serveStrictly(): Promise<number> {
    const { cert, key } = this.authority.issue({ cn: 'api', names: ['IP:127.0.0.1'] })
    const file = join(this.authority.folder, 'strict.pem')
    writeFileSync(file, cert + key)
    const trust = ['-CAfile', join(this.authority.folder, 'ca.crt'), '-Verify', '1', '-verify_return_error']
    const server = spawn(
      'openssl',
      ['s_server', '-accept', '127.0.0.1:0', '-cert', file, '-key', file, ...trust],
      {
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    )
    this.#open.add({ close: () => server.kill('SIGKILL') })
    const lines = new Mailbox<string>()
    createInterface(server.stdout).on('line', line => lines.add(line))
    const line = await lines.take('the port of openssl', text => /^ACCEPT .*:\d+$/.test(text))
    return Number(/\d+$/.exec(line)?.[0])
  }

  async servePlain(answer: Answer): Promise<number> {
    return this.listen(createHttp(answer))
  }

  async listen(server: NetServer | Server): Promise<number> {
    this.#open.add({
      close() {
        server.close()
        if ('closeAllConnections' in server) server.closeAllConnections()
      },
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  /** A client of the server at this port, with a kubeconfig of one context. */
  async client(port: number, options: ClientOptions = {}): Promise<Api> {
    const file = join(this.authority.folder, `kubeconfig-${Math.random().toString(36).slice(2)}`)
    const authority = { 'certificate-authority-data': base64(this.authority.ca) }
    const cluster = {
      server: options.server ?? `https://127.0.0.1:${port}`,
      ...(options.cluster ?? authority),
    }
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'ada', namespace: 'shop' } }],
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'ada', user: options.user ?? { token: 'abc' } }],
    }
    writeFileSync(file, JSON.stringify(config))
    const { env = { PATH: process.env.PATH }, connectTimeoutMs, tell = () => {}, onStep = () => {} } = options
    const log = openLog({ level: 'error' })
    const api = await openApi(
      { kubeconfig: file },
      { log, env, tell, onStep, ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }) },
    )
    this.#open.add(api)
    return api
  }

  /** Ends what a test opened. */
  clear(): void {
    for (const open of this.#open) open.close()
    this.#open.clear()
  }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

export function answerJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

export function answerStatus(response: ServerResponse, code: number, more: object = {}): void {
  answerJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, ...more })
}

/** Asks for the pods; the failure's kind and message when there is one. */
export async function ask(
  api: Api,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<unknown> {
  const { signal = AbortSignal.timeout(30_000), ...rest } = options
  return api.request({ path: '/api/v1/namespaces/shop/pods', signal, asks, ...rest })
}

export function serverNameOf(request: IncomingMessage): string | false | null | undefined {
  return (request.socket as TLSSocket).servername
}

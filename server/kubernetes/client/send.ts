// One HTTP request to an API server, and its answer's head or whole body.
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { version } from '../../../protocol/version.ts'
import type { ApiRequest, Query } from './api.ts'
import { connectionFailure, silentFailure } from './connection-failure.ts'
import type { Identity } from './identity.ts'
import type { Transport } from './transport.ts'

export const defaultTimeoutMs = 30_000
export const userAgent = `standin/${version} (${process.platform}/${process.arch})`

export type Sent = {
  server: URL
  transport: Transport
  identity: Identity
  request: ApiRequest
  /** Aborts with the caller's reason, or with the time-out's failure. */
  signal: AbortSignal
  compress: boolean
}

/** The URL of a request; the server's own path (Rancher has one) comes first. */
export function urlOf(server: URL, path: string, query: Query | undefined): URL {
  const url = new URL(server)
  url.pathname = `${server.pathname.replace(/\/$/, '')}${path}`
  for (const [name, value] of Object.entries(query ?? {}))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined) url.searchParams.append(name, String(each))
  return url
}

/** Resolves with the answer's head, whatever its status. Rejects with the signal's reason, or a `Failure` of the connection. */
export function send(sent: Sent): Promise<IncomingMessage> {
  const { server, request: asked, signal } = sent
  const url = urlOf(server, asked.path, asked.query)
  const body = asked.body === undefined ? undefined : Buffer.from(JSON.stringify(asked.body))
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const options = {
      agent: sent.transport.agent,
      method: asked.method ?? 'GET',
      headers: headersOf(sent, body),
    }
    const outgoing = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options)
    const abort = () => {
      outgoing.destroy(signal.reason)
      // A request whose connection has not been made yet tells its end only when that was.
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    outgoing.once('close', () => signal.removeEventListener('abort', abort))
    outgoing.once('response', response => {
      // Whoever reads sees the error; an answer that nobody reads any more must not end the process.
      response.on('error', () => {})
      resolve(response)
    })
    outgoing.on('error', error =>
      reject(
        signal.aborted
          ? signal.reason
          : new LostConnection(connectionFailure(error, server), outgoing.reusedSocket),
      ),
    )
    outgoing.end(body)
  })
}

/** A request that no answer came for. */
export class LostConnection extends Error {
  constructor(
    readonly failure: Error,
    /** Whether it went out on a kept connection, which the server may have closed at that moment. */
    readonly onKeptConnection: boolean,
  ) {
    super(failure.message, { cause: failure })
  }
}

function headersOf(
  { identity, request, compress }: Sent,
  body: Buffer | undefined,
): Record<string, string | string[]> {
  const patch = request.method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json'
  return {
    Accept: 'application/json',
    'Accept-Encoding': compress ? 'gzip' : 'identity',
    'User-Agent': userAgent,
    ...identity.headers,
    ...(body === undefined
      ? {}
      : { 'Content-Type': request.contentType ?? patch, 'Content-Length': String(body.length) }),
  }
}

/** The body's bytes, decompressed. Rejects as `send` does. */
export async function readBody(
  response: IncomingMessage,
  server: URL,
  signal: AbortSignal,
  mostBytes = Infinity,
): Promise<Buffer> {
  const abort = () => response.destroy(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of decoded(response) as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > mostBytes) break
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : connectionFailure(error, server)
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return Buffer.concat(chunks)
}

function decoded(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response
  const gunzip: Transform = createGunzip()
  response.once('error', error => gunzip.destroy(error))
  return response.pipe(gunzip)
}

/** The time that a server may take; it stands still while a user logs in. */
export type Limit = { readonly signal: AbortSignal; pause(): void; resume(): void; clear(): void }

export function limitOf(server: URL, timeoutMs: number, signal: AbortSignal): Limit {
  const timeout = new AbortController()
  let leftMs = timeoutMs
  let sinceMs = 0
  let timer: NodeJS.Timeout | undefined
  const resume = () => {
    sinceMs = performance.now()
    timer = setTimeout(() => timeout.abort(silentFailure(server, timeoutMs)), leftMs)
  }
  const pause = () => {
    clearTimeout(timer)
    leftMs = Math.max(0, leftMs - (performance.now() - sinceMs))
  }
  resume()
  return {
    signal: AbortSignal.any([signal, timeout.signal]),
    pause,
    resume,
    clear: () => clearTimeout(timer),
  }
}

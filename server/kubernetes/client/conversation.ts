// Asks an API server: credentials fetched when they are needed, renewed once when refused, and a busy server asked again.
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../../protocol/errors.ts'
import type { Access } from './access.ts'
import type { ApiRequest, Asks } from './api.ts'
import type { Certificate } from './credential-files.ts'
import { createIdentitySource, type Identity } from './identity.ts'
import { loginFailure } from './login-failure.ts'
import { checkedServer, placeOf } from './place.ts'
import { defaultTimeoutMs, type Limit, LostConnection, limitOf, readBody, send } from './send.ts'
import { type Refusal, statusFailure } from './status.ts'
import { createTransport, type Transport } from './transport.ts'
import { lostError, refusalError, Unaccepted } from './unaccepted.ts'
import type { Voice } from './voice.ts'

/** An identity and the connections that it made. */
export type Party = { identity: Identity; transport: Transport }

export type Conversation = {
  readonly server: URL
  /** The JSON of an answer; see `Api.request`. */
  ask<T>(request: ApiRequest): Promise<T>
  /** The answer's head, a success; see `Api.stream`. */
  open(request: ApiRequest): Promise<IncomingMessage>
  /** Runs `attempt`, and once more as a fresh identity when it throws `Unaccepted` and there is one; `limit` stands still while credentials are asked for. */
  as<T>(
    signal: AbortSignal,
    attempt: (party: Party) => Promise<T>,
    limit?: Pick<Limit, 'pause' | 'resume'>,
  ): Promise<T>
  close(): void
}

export type ConversationOptions = Voice & {
  env: NodeJS.ProcessEnv
  connectTimeoutMs?: number | undefined
}

/** With the waits of 0.5, 1 and 2 s, about what an API server that restarts behind a load balancer needs. */
const mostAttempts = 4
const longestWaitMs = 10_000
/** Of an answer that is no success. */
export const mostRefusalBytes = 256 << 10

export function createConversation(access: Access, options: ConversationOptions): Conversation {
  return new Talk(access, options)
}

class Talk implements Conversation {
  readonly server: URL
  readonly #access: Access
  readonly #options: ConversationOptions
  readonly #source
  /** By certificate, since connections carry it; in practice one, or two while it changes. */
  #transport: { certificate: Certificate | undefined; transport: Transport } | undefined
  readonly #ended = new AbortController()

  constructor(access: Access, options: ConversationOptions) {
    this.#access = access
    this.#options = options
    this.#source = createIdentitySource(access, options)
    // What is wrong with the cluster's entry shows before anything is asked.
    this.server = checkedServer(access, options)
  }

  async ask<T>(request: ApiRequest): Promise<T> {
    const limit = this.#limit(request)
    try {
      const compress = this.#access.cluster['disable-compression'] !== true
      const response = await this.#answer(request, limit, compress)
      const body = await readBody(response, this.server, limit.signal)
      return parseAnswer<T>(body, response, request.asks)
    } finally {
      limit.clear()
    }
  }

  async open(request: ApiRequest): Promise<IncomingMessage> {
    const limit = this.#limit(request)
    try {
      return this.#owned(await this.#answer(request, limit, false), request.signal)
    } finally {
      limit.clear()
    }
  }

  async as<T>(
    signal: AbortSignal,
    attempt: (party: Party) => Promise<T>,
    limit?: Pick<Limit, 'pause' | 'resume'>,
  ): Promise<T> {
    const party = await this.#party(signal, limit)
    try {
      return await attempt(party)
    } catch (thrown) {
      if (!(thrown instanceof Unaccepted)) throw thrown
      if (!this.#source.renew(party.identity)) throw this.#loginFailure(party, thrown)
      const fresh = await this.#party(signal, limit)
      try {
        return await attempt(fresh)
      } catch (again) {
        throw again instanceof Unaccepted ? this.#loginFailure(fresh, again) : again
      }
    }
  }

  close(): void {
    this.#ended.abort(new Failure('cancelled', { what: 'a request to the cluster' }))
    this.#source.close()
    this.#transport?.transport.close()
  }

  #limit({ signal, timeoutMs = defaultTimeoutMs }: ApiRequest): Limit {
    return limitOf(this.server, timeoutMs, AbortSignal.any([signal, this.#ended.signal]))
  }

  /** An answer that is under way ends with the caller's signal and with the client. */
  #owned(response: IncomingMessage, signal: AbortSignal): IncomingMessage {
    const both = AbortSignal.any([signal, this.#ended.signal])
    const abort = () =>
      response.destroy(both.reason instanceof Error ? both.reason : new Error(String(both.reason)))
    both.addEventListener('abort', abort, { once: true })
    response.once('close', () => both.removeEventListener('abort', abort))
    if (both.aborted) abort()
    return response
  }

  async #party(signal: AbortSignal, limit?: Pick<Limit, 'pause' | 'resume'>): Promise<Party> {
    this.#ended.signal.throwIfAborted()
    limit?.pause()
    const identity = await this.#source.get(signal)
    limit?.resume()
    const { certificate } = identity
    const kept = this.#transport
    if (kept !== undefined && sameCertificate(kept.certificate, certificate))
      return { identity, transport: kept.transport }
    const transport = createTransport(placeOf(this.#access, certificate, this.#options))
    // What is under way with the old certificate ends by itself; its idle connections time out.
    this.#ended.signal.addEventListener('abort', () => transport.close(), { once: true })
    this.#transport = { certificate, transport }
    return { identity, transport }
  }

  #loginFailure({ identity }: Party, { reason, cause }: Unaccepted): Failure {
    return loginFailure({
      server: this.server,
      user: this.#access.userName,
      certificate: identity.certificate,
      reason,
      cause,
    })
  }

  async #answer(request: ApiRequest, limit: Limit, compress: boolean): Promise<IncomingMessage> {
    const { signal } = limit
    for (let attempt = 1; ; attempt += 1) {
      const once = (party: Party) => this.#try({ request, signal, compress, party, attempt })
      const outcome = await this.as(signal, once, limit)
      if (outcome.kind === 'answer') return outcome.response
      this.#options.log.write('debug', `asking the cluster again in ${outcome.waitMs} ms: ${outcome.why}`)
      await delay(outcome.waitMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  async #try(of: {
    request: ApiRequest
    signal: AbortSignal
    compress: boolean
    party: Party
    attempt: number
  }): Promise<Outcome> {
    const { request, signal, attempt } = of
    const reads = (request.method ?? 'GET') === 'GET'
    try {
      const response = await send({
        server: this.server,
        request,
        signal,
        compress: of.compress,
        ...of.party,
      })
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 300) return { kind: 'answer', response }
      const refusal = await readRefusal(response, this.server, signal)
      const failure = refusalError(refusal, request.asks)
      const waitMs = waitFor(status, response.headers['retry-after'], attempt, reads)
      if (waitMs === undefined || attempt >= mostAttempts) throw failure
      return { kind: 'again', waitMs, why: failure.message }
    } catch (thrown) {
      if (!(thrown instanceof LostConnection)) throw thrown
      // The server closed a kept connection at the moment of its use: nothing is wrong, and reading twice harms nobody.
      if (reads && thrown.onKeptConnection && attempt < mostAttempts)
        return { kind: 'again', waitMs: 0, why: thrown.message }
      throw lostError(thrown)
    }
  }
}

type Outcome = { kind: 'answer'; response: IncomingMessage } | { kind: 'again'; waitMs: number; why: string }

export async function readRefusal(
  response: IncomingMessage,
  server: URL,
  signal: AbortSignal,
): Promise<Refusal> {
  const body = await readBody(response, server, signal, mostRefusalBytes)
  response.destroy()
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    body: body.toString('utf8'),
    location: response.headers.location,
  }
}

/** How long to wait before asking again; undefined when it should not be. 429 says that nothing was done, so any request may come again. */
export function waitFor(
  status: number,
  retryAfter: string | undefined,
  attempt: number,
  reads: boolean,
): number | undefined {
  const again =
    status === 429 ? reads || retryAfter !== undefined : reads && [500, 502, 503, 504].includes(status)
  if (!again) return undefined
  const stated = Number(retryAfter) * 1_000
  return Math.min(stated > 0 ? stated : 250 * 2 ** attempt, longestWaitMs)
}

function sameCertificate(a: Certificate | undefined, b: Certificate | undefined): boolean {
  return a?.cert === b?.cert && a?.key === b?.key
}

function parseAnswer<T>(body: Buffer, response: IncomingMessage, asks: Asks): T {
  try {
    return JSON.parse(body.toString('utf8')) as T
  } catch {
    const refusal = {
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      body: body.toString('utf8', 0, 4096),
    }
    throw statusFailure(refusal, asks)
  }
}

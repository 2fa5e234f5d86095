// Events of a list of objects, over connections that end, break and fall silent.
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../../protocol/errors.ts'
import { backoffMs } from '../../link/backoff.ts'
import type { Log } from '../../log.ts'
import { type ApiRequest, type KubeObject, StatusError, type WatchEvent } from './api.ts'
import type { Conversation } from './conversation.ts'
import { KnownObjects } from './known-objects.ts'
import { listPages } from './pages.ts'
import type { Status } from './status.ts'
import { type RawEvent, readEvents } from './watch-stream.ts'

export type WatchRequest = ApiRequest & { silenceMs?: number }

const defaultSilenceMs = 45_000
/** A connection that ended sooner and brought nothing counts as a failure, so that a server that ends each at once is not asked in a loop. */
const shortMs = 1_000
/** So often in a row the server may refuse to go on from a version; then its history is not ours (restored from a backup), and the list begins again. */
const mostRefusals = 5
/** What passes by itself; anything else has to be told to whoever watches. */
const passing = [
  'cluster-refused',
  'cluster-name-unknown',
  'cluster-silent',
  'cluster-unreachable',
  'cluster-proxy-failed',
  'cluster-failed',
]

/** See `Api.watch`. Ends when the request's signal aborts. Throws what does not pass by itself, and any failure before the first answer. */
export function watchEvents<T extends KubeObject>(
  conversation: Conversation,
  request: WatchRequest,
  log: Log,
): AsyncGenerator<WatchEvent<T>> {
  return new Watch<T>(conversation, request, log).events()
}

class Watch<T extends KubeObject> {
  readonly #known = new KnownObjects<T>()
  readonly #conversation: Conversation
  readonly #request: WatchRequest
  readonly #log: Log
  readonly #silenceMs: number
  /** Where to go on; undefined when the list has to be read. */
  #version: string | undefined
  #listed = false
  #answered = false
  #failures = 0

  constructor(conversation: Conversation, request: WatchRequest, log: Log) {
    this.#conversation = conversation
    this.#request = request
    this.#log = log
    this.#silenceMs = request.silenceMs ?? defaultSilenceMs
    const given = request.query?.resourceVersion
    this.#version = given === undefined || given === '' ? undefined : String(given)
  }

  async *events(): AsyncGenerator<WatchEvent<T>> {
    const { signal } = this.#request
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) yield* this.#list()
        yield* this.#follow()
      } catch (error) {
        if (signal.aborted) return
        this.#judge(error)
      }
      if (this.#failures > 0)
        await delay(backoffMs(this.#failures), undefined, { signal }).catch(() => {
          // Aborted: the loop sees it.
        })
    }
  }

  async *#list(): AsyncGenerator<WatchEvent<T>> {
    const { resourceVersion: _, ...query } = this.#request.query ?? {}
    const asks = { ...this.#request.asks, verb: 'list' }
    const ask = <L>(request: ApiRequest) => this.#conversation.ask<L>(request)
    const first = !this.#listed
    const all: T[] = []
    let version: string | undefined
    for await (const page of listPages<T>(ask, { ...this.#request, query, asks })) {
      // The first page's, so that what happened while the others were read is seen as well.
      version ??= page.resourceVersion ?? '0'
      if (first) yield* this.#known.addPage(page.items)
      else all.push(...page.items)
    }
    if (first) this.#known.complete()
    else yield* this.#known.compare(all)
    this.#listed = true
    this.#answered = true
    this.#version = version
  }

  async *#follow(): AsyncGenerator<WatchEvent<T>> {
    const startedMs = performance.now()
    let some = false
    for await (const raw of readEvents(await this.#open(), this.#silenceMs)) {
      const event = this.#read(raw)
      some = true
      this.#failures = 0
      if (event !== undefined) yield event
    }
    const short = !some && performance.now() - startedMs < shortMs
    this.#failures = short ? this.#failures + 1 : 0
  }

  /** The server is asked to end each connection before it would count as silent: a live one always says something in time. */
  async #open() {
    const response = await this.#conversation.open({
      ...this.#request,
      asks: { ...this.#request.asks, verb: 'watch' },
      timeoutMs: Math.min(this.#silenceMs, this.#request.timeoutMs ?? this.#silenceMs),
      query: {
        ...this.#request.query,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: this.#version,
        timeoutSeconds: Math.max(1, Math.floor((this.#silenceMs * 2) / 3 / 1_000)),
      },
    })
    this.#answered = true
    return response
  }

  #read({ type, object }: RawEvent): WatchEvent<T> | undefined {
    if (type === 'ERROR') {
      const { code = 500, reason = '', message = '' } = object as Status
      throw new StatusError(code, reason, message, this.#request.asks)
    }
    const event = { type, object } as WatchEvent<T>
    this.#version = event.object.metadata?.resourceVersion ?? this.#version
    return this.#known.take(event)
  }

  /** Throws what should end the watch; else notes how to go on. */
  #judge(error: unknown): void {
    const status = error instanceof StatusError ? error.status : undefined
    const fatal =
      error instanceof Failure
        ? !passing.includes(error.kind)
        : status !== undefined && status < 500 && status !== 410
    if (!this.#answered || fatal) throw error
    this.#failures += 1
    const refused = status !== undefined || (error instanceof Failure && error.kind === 'cluster-failed')
    if (status === 410 || (refused && this.#failures >= mostRefusals)) this.#version = undefined
    const what = `watch of ${this.#request.asks.resource}`
    this.#log.write(
      'debug',
      `${what} goes on after: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

// The server's end of the link: dials the agent, and dials again when the connection drops, until the grace time is over.
import type { KeyObject } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../protocol/errors.ts'
import { createEndpoint, type Endpoint, type EndpointOptions } from '../../protocol/link/endpoint.ts'
import { backoffMs } from './backoff.ts'
import { greetAgent, Refusal } from './greet.ts'

export type LinkState =
  | { state: 'running' }
  /** `attempt` counts the tries since the drop, from 1. */
  | { state: 'reconnecting'; reason: string; attempt: number }
  | { state: 'lost'; reason: string }

export type ConnectOptions = Pick<EndpointOptions, 'onControl' | 'onOpen' | 'heartbeatMs'> & {
  /** Makes a connection to the agent. When the signal aborts, what it gives afterwards is destroyed. */
  dial(signal: AbortSignal): Promise<Duplex>
  session: string
  /** Ed25519; its public half is the agent's `--key`. */
  privateKey: KeyObject
  graceMs: number
  /** `running` and `reconnecting` in turn, then `lost`, after which nothing comes; nothing comes after `close`. */
  onState(state: LinkState): void
}

export type Link = {
  readonly endpoint: Endpoint
  /** The agent has accepted the first connection. Rejects with `link-version`, `link-refused` or `link-lost`, or `cancelled` by `close`. */
  readonly ready: Promise<void>
  /** What the last try failed with, or the last connection. */
  readonly reason: string | undefined
  /** Ends everything at once; leaves no socket and no timer. */
  close(reason: string): void
}

/** For one try: dialling and greeting. The last one begins when the grace time ends, so the agent waits so much longer. */
export const tryTimeoutMs = 10_000
/** A connection that lived so long, or brought something, was a real one: the next drop is counted from the start. */
const provenMs = 1_000
const never = 'the agent was never reached'

export function connectLink(options: ConnectOptions): Link {
  const dialler = new Dialler(options)
  const { endpoint, ready } = dialler
  return {
    ...{ endpoint, ready },
    get reason() {
      return dialler.reason
    },
    close: reason => dialler.close(reason),
  }
}

class Dialler {
  readonly endpoint: Endpoint
  readonly ready: Promise<void>
  readonly #options: ConnectOptions
  readonly #stop = new AbortController()
  #settle: { resolve(): void; reject(failure: Failure): void } | undefined
  #running = false
  /** The tries since the last proven connection, when it dropped, and why. */
  #attempt = 0
  #droppedAtMs = performance.now()
  #reason: string | undefined
  #attachedAtMs = 0
  #receivedAtAttach = 0n

  constructor(options: ConnectOptions) {
    this.#options = options
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // A caller that closes before it waits must not end the process.
    this.ready.catch(() => {})
    this.endpoint = createEndpoint({
      role: 'server',
      onControl: options.onControl,
      onOpen: options.onOpen,
      onDetached: reason => this.#dropped(reason),
      ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
    })
    void this.#dialUntilAttached()
  }

  get reason(): string | undefined {
    return this.#reason
  }

  close(reason: string): void {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    this.endpoint.close(reason)
    this.#settle?.reject(new Failure('cancelled', { what: 'the link to the agent' }, { detail: reason }))
  }

  #dropped(reason: string): void {
    if (this.#stop.signal.aborted) return
    const nowMs = performance.now()
    const proven = nowMs - this.#attachedAtMs >= provenMs || this.endpoint.received > this.#receivedAtAttach
    if (proven) {
      this.#attempt = 0
      this.#droppedAtMs = nowMs
    }
    this.#reason = reason
    if (!proven && this.#leftMs() <= 0) this.#lose()
    else void this.#dialUntilAttached()
  }

  async #dialUntilAttached(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#attempt += 1
      this.#tell()
      // The first dial of all waits for nothing.
      if (this.#running || this.#attempt > 1) await this.#pause()
      if (signal.aborted) return
      try {
        return await this.#try()
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Refusal) return this.#lose(error.failure)
        this.#reason = error instanceof Error ? error.message : String(error)
        if (this.#leftMs() <= 0) return this.#lose()
      }
    }
  }

  async #try(): Promise<void> {
    const timeout = new AbortController()
    const seconds = tryTimeoutMs / 1_000
    const timer = setTimeout(
      () => timeout.abort(`the agent did not answer within ${seconds} s`),
      tryTimeoutMs,
    )
    try {
      await this.#dialAndGreet(AbortSignal.any([this.#stop.signal, timeout.signal]))
    } finally {
      clearTimeout(timer)
    }
  }

  async #dialAndGreet(signal: AbortSignal): Promise<void> {
    const connection = await dialOrAbort(this.#options.dial, signal)
    try {
      const otherReceived = await greetAgent(connection, {
        session: this.#options.session,
        privateKey: this.#options.privateKey,
        received: this.endpoint.received,
        signal,
      })
      this.#attach(connection, otherReceived)
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  #attach(connection: Duplex, otherReceived: bigint): void {
    try {
      this.endpoint.attach(connection, otherReceived)
    } catch (error) {
      // Its count will not fit next time either: it is another agent, or lost its memory.
      throw error instanceof Failure ? new Refusal(error) : error
    }
    this.#attachedAtMs = performance.now()
    this.#receivedAtAttach = this.endpoint.received
    this.#running = true
    this.#options.onState({ state: 'running' })
    this.#settle?.resolve()
  }

  #tell(): void {
    if (!this.#running) return
    const reason = this.#reason ?? never
    this.#options.onState({ state: 'reconnecting', reason, attempt: this.#attempt })
  }

  #leftMs(): number {
    return this.#droppedAtMs + this.#options.graceMs - performance.now()
  }

  /** Never past the end of the grace time: whatever comes back just before it is found by a try at that moment. */
  async #pause(): Promise<void> {
    const waitMs = Math.max(0, Math.min(backoffMs(this.#attempt), this.#leftMs()))
    await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => {})
  }

  #lose(failure?: Failure): void {
    const seconds = Math.round((performance.now() - this.#droppedAtMs) / 1_000)
    const why = this.#reason ?? never
    const lost = failure ?? new Failure('link-lost', { seconds, reason: why })
    const reason = failure?.message ?? why
    this.#stop.abort()
    this.endpoint.close(reason)
    this.#options.onState({ state: 'lost', reason })
    this.#settle?.reject(lost)
  }
}

/** The connection, or a failure as soon as the signal aborts, whatever `dial` does; one that comes late is destroyed. */
function dialOrAbort(dial: ConnectOptions['dial'], signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Failure('link-refused', { reason: String(signal.reason) }))
    signal.addEventListener('abort', onAbort, { once: true })
    dial(signal).then(connection => {
      signal.removeEventListener('abort', onAbort)
      connection.on('error', () => {})
      if (signal.aborted) connection.destroy()
      resolve(connection)
    }, reject)
  })
}

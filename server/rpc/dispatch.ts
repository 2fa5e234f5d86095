// Brings each message to its handler and each request exactly one answer, whatever the handler does.
import { decode } from '../../protocol/codec.ts'
import { asFailure, Failure } from '../../protocol/errors.ts'
import { suggestion } from '../../protocol/suggest.ts'
import { type Envelope, type RequestId, readEnvelope } from './envelope.ts'
import type { Handler } from './handler.ts'
import { acceptNotification, type Phase, refuseRequest } from './lifecycle.ts'

export type DispatchOptions<S> = {
  server: S
  handlers: readonly Handler<S>[]
  send(message: object): void
  log(level: 'error' | 'warning' | 'debug', text: string): void
  /** Each message that was read, before it is handled. */
  onMessage?(message: object): void
}

/**
 * More requests of one method than any client has a use for. Those beyond are refused, and reading goes on: a client whose requests all
 * wait must still be heard when it cancels them, sends a signal, stops a session, or ends.
 */
export const maxRunningOfMethod = 1_000

export class Dispatcher<S> {
  phase: Phase = 'fresh'
  readonly #options: DispatchOptions<S>
  readonly #handlers: ReadonlyMap<string, Handler<S>>
  readonly #running = new Map<RequestId, { method: string; controller: AbortController }>()

  constructor(options: DispatchOptions<S>) {
    this.#options = options
    this.#handlers = new Map(options.handlers.map(handler => [handler.message.method, handler]))
  }

  /** Requests that have not been answered. */
  get running(): number {
    return this.#running.size
  }

  handle(body: Uint8Array): void {
    const envelope = readEnvelope(body)
    this.#options.onMessage?.(envelope)
    if (envelope.kind === 'wrong') this.fail(envelope.id, envelope.failure)
    else if (envelope.kind === 'response') this.#options.log('debug', 'a response to no request was ignored')
    else if (envelope.kind === 'notification') this.#notify(envelope)
    else void this.#answer(envelope)
  }

  /** Cancels one request; unknown ids are requests that have just been answered. */
  cancel(id: RequestId): void {
    this.#running.get(id)?.controller.abort(new Failure('cancelled', { what: String(id) }))
  }

  /** Ends all requests because of something else than the client's wish. */
  abortAll(reason: Failure): void {
    for (const { controller } of this.#running.values()) controller.abort(reason)
  }

  /** An error answer; id null when the request's id is not known. */
  fail(id: RequestId | null, { code, message, data }: Failure): void {
    this.#options.send({ jsonrpc: '2.0', id, error: { code, message, data } })
  }

  async #answer({ id, method, params }: Extract<Envelope, { kind: 'request' }>): Promise<void> {
    const refusal = this.#refuse(id, method)
    if (refusal !== undefined) return this.fail(id, refusal)
    const controller = new AbortController()
    this.#running.set(id, { method, controller })
    let answered = () => {}
    const call = { signal: controller.signal, answered: new Promise<void>(resolve => (answered = resolve)) }
    const before = this.phase
    if (method === 'initialize') this.phase = 'initializing'
    try {
      const handler = this.#handlers.get(method)!
      const checked = decode(handler.message.params, params ?? {})
      if (!checked.ok) throw new Failure('params-invalid', { method, faults: checked.faults.join('; ') })
      const result = await handler.run(this.#options.server, checked.value, call)
      if (method === 'initialize') this.phase = 'running'
      this.#options.send({ jsonrpc: '2.0', id, result: result ?? null })
    } catch (thrown) {
      if (method === 'initialize') this.phase = before
      this.fail(id, this.#failureOf(thrown, method, controller.signal))
    } finally {
      this.#running.delete(id)
      answered()
    }
  }

  #refuse(id: RequestId, method: string): Failure | undefined {
    const refusal = refuseRequest(this.phase, method)
    if (refusal !== undefined) return refusal
    if (this.#running.has(id)) {
      return new Failure('request-invalid', {
        reason: `the id ${JSON.stringify(id)} is that of a running request`,
      })
    }
    if (this.#handlers.get(method)?.message.kind !== 'request') return this.#unknown(method)
    const count = [...this.#running.values()].filter(running => running.method === method).length
    return count < maxRunningOfMethod ? undefined : new Failure('requests-waiting', { method, count })
  }

  #unknown(method: string): Failure {
    const requests = [...this.#handlers.values()].filter(({ message }) => message.kind === 'request')
    return new Failure('method-unknown', {
      method: method.slice(0, 100),
      suggestion: suggestion(
        method,
        requests.map(({ message }) => message.method),
      ),
    })
  }

  /** A request that ended because it was aborted is answered with the reason, whatever error that looked like inside. */
  #failureOf(thrown: unknown, method: string, signal: AbortSignal): Failure {
    if (signal.aborted) {
      const { reason } = signal
      if (reason instanceof Failure && reason.kind !== 'cancelled') return reason
      return new Failure('cancelled', { what: method })
    }
    const failure = asFailure(thrown, method)
    if (failure.kind === 'internal') {
      const cause = failure.cause instanceof Error ? failure.cause.stack : String(failure.cause)
      this.#options.log('error', `${method} failed: ${cause}`)
    }
    return failure
  }

  #notify({ method, params }: Extract<Envelope, { kind: 'notification' }>): void {
    const handler = this.#handlers.get(method)
    if (handler?.message.kind !== 'notification') {
      if (!method.startsWith('$/'))
        this.#options.log('warning', `unknown notification "${method.slice(0, 100)}"`)
      return
    }
    if (!acceptNotification(this.phase, method)) return
    const checked = decode(handler.message.params, params ?? {})
    if (!checked.ok) {
      this.#options.log('warning', `notification "${method}" was ignored: ${checked.faults.join('; ')}`)
      return
    }
    try {
      handler.run(this.#options.server, checked.value, {
        signal: new AbortController().signal,
        answered: Promise.resolve(),
      })
    } catch (thrown) {
      this.#options.log('error', `notification "${method}" failed: ${String(thrown)}`)
    }
  }
}

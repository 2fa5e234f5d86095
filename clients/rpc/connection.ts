// A client's end of the editor protocol over a pair of streams, typed by the messages of protocol/rpc.
import type { Readable, Writable } from 'node:stream'
import {
  CancellationTokenSource,
  createMessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node'
import { decode } from '../../protocol/codec.ts'
import { Failure } from '../../protocol/errors.ts'
import type { NotificationMessage, RequestMessage } from '../../protocol/rpc/message.ts'
import { answeredError } from './reported-error.ts'

export type Connection = {
  /** Rejects with AnsweredError if the server says no, with Failure `server-ended` if it goes away; aborting sends $/cancelRequest. */
  request<P, R>(
    message: RequestMessage<P, R>,
    params: P,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<R>
  notify<P>(message: NotificationMessage<P>, params: P): Promise<void>
  /** Calls `handler` with every notification of this kind; one handler a message. A malformed one is dropped. */
  on<P>(message: NotificationMessage<P>, handler: (params: P) => void): void
  /** Resolves when the server's output has ended. */
  readonly closed: Promise<void>
}

export function connect(output: Readable, input: Writable): Connection {
  const rpc = createMessageConnection(new StreamMessageReader(output), new StreamMessageWriter(input))
  let lost = false
  const closed = new Promise<void>(resolve => {
    rpc.onClose(() => {
      lost = true
      rpc.dispose() // rejects what is still unanswered
      resolve()
    })
  })
  // A server that dies mid-write is reported once, by `closed`; these events only say the same again.
  rpc.onError(() => {})
  input.on('error', () => {})
  rpc.listen()

  return {
    closed,
    async request(message, params, { signal } = {}) {
      const cancellation = new CancellationTokenSource()
      const cancel = () => cancellation.cancel()
      if (signal?.aborted) throw new Failure('cancelled', { what: message.method })
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        const answer = await rpc.sendRequest<unknown>(message.method, params, cancellation.token)
        const result = decode(message.result, answer)
        if (result.ok) return result.value
        throw new Failure('internal', { what: message.method }, { detail: result.faults.join('; ') })
      } catch (thrown) {
        if (thrown instanceof ResponseError && !lost)
          throw answeredError(thrown.code, thrown.message, thrown.data)
        if (thrown instanceof Failure) throw thrown
        throw new Failure('server-ended', { what: message.method }, { cause: thrown })
      } finally {
        signal?.removeEventListener('abort', cancel)
        cancellation.dispose()
      }
    },
    async notify(message, params) {
      if (!lost) await rpc.sendNotification(message.method, params).catch(() => {})
    },
    on(message, handler) {
      rpc.onNotification(message.method, (raw: unknown) => {
        const params = decode(message.params, raw)
        if (params.ok) handler(params.value)
      })
    },
  }
}

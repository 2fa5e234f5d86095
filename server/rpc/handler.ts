// What a handler of a message is, and how it is tied to the message's declaration.
import type { Message, NotificationMessage, RequestMessage } from '../../protocol/rpc/message.ts'

/** The circumstances of one request. */
export type Call = {
  /** Aborts when the client cancels, when it vanishes and when the server ends; the handler must then undo what it did and throw. */
  readonly signal: AbortSignal
  /** Resolves when the answer was written: what must not overtake the answer waits for it. */
  readonly answered: Promise<void>
}

export type Handler<S> = {
  readonly message: Message
  readonly run: (server: S, params: unknown, call: Call) => unknown
}

/** Ties a handler to its message; the parameters reach it checked. */
export function answer<S, P, R>(
  message: RequestMessage<P, R>,
  run: (server: S, params: P, call: Call) => R | Promise<R>,
): Handler<S> {
  return { message: message as Message, run: run as Handler<S>['run'] }
}

export function take<S, P>(message: NotificationMessage<P>, run: (server: S, params: P) => void): Handler<S> {
  return { message: message as Message, run: run as Handler<S>['run'] }
}

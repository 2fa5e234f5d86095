// What a JSON-RPC message is to us: one object that holds its name, direction, shapes, summary and a worked example.
import type * as t from 'io-ts'
import type { ErrorKind } from '../errors.ts'

/** Who may send it: the client, the server, or both. */
export type Direction = 'clientToServer' | 'serverToClient' | 'both'

export type RequestMessage<P, R> = {
  readonly kind: 'request'
  readonly method: string
  readonly direction: Direction
  readonly summary: string
  readonly params: t.Type<P, unknown, unknown>
  readonly result: t.Type<R, unknown, unknown>
  /** Kinds of `protocol/errors.ts` that this request answers with, besides those that every request may. */
  readonly errors: readonly ErrorKind[]
  readonly example: { readonly params: P; readonly result: R }
}

export type NotificationMessage<P> = {
  readonly kind: 'notification'
  readonly method: string
  readonly direction: Direction
  readonly summary: string
  readonly params: t.Type<P, unknown, unknown>
  readonly example: { readonly params: P }
}

export type Message = RequestMessage<unknown, unknown> | NotificationMessage<unknown>

/** Declares a request. */
export function request<P, R>(
  message: Omit<RequestMessage<P, R>, 'kind' | 'errors'> & { errors?: readonly ErrorKind[] },
): RequestMessage<P, R> {
  return { kind: 'request', errors: [], ...message }
}

/** Declares a notification. */
export function notification<P>(message: Omit<NotificationMessage<P>, 'kind'>): NotificationMessage<P> {
  return { kind: 'notification', ...message }
}

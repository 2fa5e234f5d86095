// What the rest of the Kubernetes room asks of an API server; open.ts makes one from a kubeconfig.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/** A list becomes a parameter of that name for each of its values, as exec's `command`. */
export type Query = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>

export type ApiRequest = {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** "/api/v1/namespaces/shop/pods"; each part encoded by `path` below. */
  path: string
  query?: Query
  body?: unknown
  /** Default "application/json"; of a PATCH "application/strategic-merge-patch+json" unless said. */
  contentType?: string
  signal: AbortSignal
  /** For the whole answer; default 30,000. */
  timeoutMs?: number
  /** What is asked, for errors: verb and resource as RBAC names them ("create", "jobs.batch"), and the namespace. */
  asks: Asks
}

export type Asks = { verb: string; resource: string; namespace?: string | undefined }

/** A watch event; `object` of an ERROR is a Status. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: T }

/**
 * One cluster as one user of it. Every failure is a `Failure`: `cluster-*` or `credentials-failed`, or, for an answer that the caller
 * should judge, a `StatusError`. Connections are kept alive and shared; credentials that expire are fetched again, once at a time.
 */
export type Api = {
  readonly context: string | undefined
  /** The context's namespace, "default" without one. */
  readonly namespace: string
  /** URL of the API server. */
  readonly server: string
  /** The answer's JSON. Rejects with a `StatusError` for 404, 409, 410, 422, and for 403 that admission gave to what would change something; all else is a `Failure`. */
  request<T>(request: ApiRequest): Promise<T>
  /** The answer as it comes, status checked: for logs. The caller destroys it. */
  stream(request: ApiRequest): Promise<IncomingMessage>
  /**
   * The items of a list, page by page (`limit`, `continue`), so that a large cluster costs bounded memory; starts again once, and says so in the
   * result, when a page's token has expired (410). Yields each page's items.
   */
  pages<T>(request: ApiRequest & { pageSize?: number }): AsyncIterable<T[]>
  /**
   * Events from `resourceVersion` on (or what exists first, when none is given), until the signal aborts. It goes on over closed connections,
   * notices a silent one (no byte, no bookmark) within `silenceMs` (default 45,000), and lists again after 410, giving what it missed.
   * Deleted objects that it missed come as DELETED.
   */
  watch<T extends KubeObject>(request: ApiRequest & { silenceMs?: number }): AsyncIterable<WatchEvent<T>>
  /** A WebSocket, open. Its messages are buffered until somebody listens. A refusal's Status is in the error as for `request`. */
  dial(request: DialRequest): Promise<WebSocket>
  /** Ends idle connections and everything under way. */
  close(): void
}

export type DialRequest = Pick<ApiRequest, 'path' | 'query' | 'signal' | 'timeoutMs' | 'asks'> & {
  protocols: readonly string[]
  /** Told of the connection below, before anything but the handshake was written to it. */
  onConnection?(connection: Socket): void
}

export type KubeObject = {
  metadata?: { name?: string; namespace?: string; uid?: string; resourceVersion?: string }
}

/** An answer of the API server that is no success; source: Kubernetes API, meta/v1 Status. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  constructor(
    readonly status: number,
    /** "NotFound", "Forbidden", "AlreadyExists"... */
    readonly reason: string,
    message: string,
    readonly asks: Asks,
    readonly details?: unknown,
    /** Of an expired list: the token that goes on from there with what is there then. */
    readonly continueToken?: string,
  ) {
    super(message)
  }
}

/** "/api/v1/namespaces/a%2Fb": a path whose parts cannot break out of it. */
export function apiPath(prefix: string, ...parts: readonly string[]): string {
  return [prefix, ...parts.map(encodeURIComponent)].join('/')
}

// Mirrored connections of one session on their way to the process: each becomes one connection to the listener of its port.
import type { Endpoint } from '../../protocol/codec.ts'
import type { LinkStream } from '../../protocol/link/endpoint.ts'

/** A listener of a hooked process, and how to announce a connection to the supervisor that answers for it. */
export type DeliveryListener = {
  asked: Endpoint
  actual: Endpoint
  /** Resolves when accept, getpeername and getsockname will show `caller` and `pod` for a connection from `source`. */
  announce(connection: { source: Endpoint; caller: Endpoint; pod: Endpoint }): Promise<{ retract(): void }>
}

export type Incoming = {
  /** A stream that the agent opened, with its payload (protocol/agent/control.ts `opened`, not yet checked). */
  accept(stream: LinkStream, payload: unknown): void
  /** Copies that the process did not get, by reason. */
  readonly lost: Readonly<Record<string, number>>
  close(reason: string): void
}

// A listener of a hooked process as the delivery knows it.
import type { Endpoint } from '../../protocol/codec.ts'

export type AnnouncedConnection = {
  /** Whether a hooked process, and nobody else, has the connection that was made to `to`; nothing is sent on it before. */
  reached(to: Endpoint): Promise<boolean>
  retract(): void
}

/** A listener of a hooked process, and how to announce a connection to the supervisor that answers for it. */
export type DeliveryListener = {
  asked: Endpoint
  actual: Endpoint
  /** Resolves when accept, getpeername and getsockname will show `caller` and `pod` for a connection from `source`. */
  announce(connection: { source: Endpoint; caller: Endpoint; pod: Endpoint }): Promise<AnnouncedConnection>
}

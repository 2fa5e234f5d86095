// What the answerer tells the supervisor of a connection that a process makes to what is the pod's.
import type { Endpoint } from '../../protocol/codec.ts'

/** Where the process had the socket when it connected; it may have moved since. */
export type Place = { thread: number; descriptor: number }
/** A blocking connect whose thread waits for an answer. */
export type HeldConnect = { id: bigint; timeoutMs: number }
export type Connecting = {
  cookie: bigint
  inode: number
  family: number
  to: Endpoint
  /** Why it is the pod's. */
  rule: string
  from: Endpoint
  place: Place
  held?: HeldConnect
}

export type Stayed = { type: 'stayed'; protocol: 'tcp' | 'udp' | 'unix'; to: Endpoint; rule: string }
export type ConnectMessage =
  /** Told only while somebody looks. */
  | Stayed
  | { type: 'connecting'; connecting: Connecting }
  /** The same connect again, by a blocking call that a signal had ended, or by another thread. */
  | { type: 'held'; cookie: bigint; place: Place; held: HeldConnect }
  /** The process has given the connection up. */
  | { type: 'disconnected'; cookie: bigint }

// What the answerer tells the supervisor of a Unix socket that a process connects to the pod's, and what it hears of it.
import type { Place } from './connecting.ts'

export type UnixConnecting = {
  cookie: bigint
  inode: number
  /** An absolute path, or @NAME. */
  path: string
  /** Why it is the pod's. */
  rule: string
  /** What getpeername is to show. */
  shown: Uint8Array
  place: Place
  /** The held call. */
  id: bigint
  isBlocking: boolean
  /** SOCK_SEQPACKET instead of SOCK_STREAM. */
  seqpacket: boolean
  /** SO_SNDTIMEO, 0 for none. */
  timeoutMs: number
}

export type UnixConnectMessage = { type: 'unixConnecting'; connecting: UnixConnecting }
/** The process's socket is connected, to what stands for that address. */
export type UnixConnectAnswer = { type: 'unixConnected'; cookie: bigint; shown: Uint8Array }

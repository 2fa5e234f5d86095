// What the supervisor and its threads say to each other.
import type { Endpoint } from '../../protocol/codec.ts'
import type { ErrorKind } from '../../protocol/errors.ts'
import type { OutgoingRules } from '../../protocol/hook/messages.ts'
import type { Listener, Notice } from '../syscalls/world.ts'
import type { SharedMemory } from './announcements.ts'

export type AnswererData = {
  memory: SharedMemory
  ledger: number
  /** One Int32: the thread id of the spawner, 0 before it is known. */
  filteredThread: SharedArrayBuffer
  /** See accept-watch.ts. */
  acceptWatch: SharedArrayBuffer
}
/** Where the process had the socket when it connected; it may have moved since. */
export type Place = { thread: number; descriptor: number }
/** A blocking connect whose thread waits for an answer. */
export type HeldConnect = { id: bigint; timeoutMs: number }
export type Connecting = {
  cookie: bigint
  inode: number
  family: number
  to: Endpoint
  from: Endpoint
  place: Place
  held?: HeldConnect
}

export type ToAnswerer =
  | { type: 'listen'; listener: number }
  | { type: 'addresses'; addresses: readonly string[] }
  | { type: 'outgoing'; rules: OutgoingRules }
  | { type: 'dialled'; cookie: bigint; local: Endpoint }
  /** What SO_ERROR is to say. */
  | { type: 'refused'; cookie: bigint; errno: number }
  /** The socket is as it was before connect. */
  | { type: 'forget'; cookie: bigint }
  /** A held connect has its answer. */
  | { type: 'answered'; id: bigint }
export type ConnectMessage = Extract<FromAnswerer, { type: 'connecting' | 'held' | 'disconnected' }>
export type FromAnswerer =
  | { type: 'loaded' }
  | { type: 'ready'; complete: boolean }
  | { type: 'notice'; notice: Notice }
  | { type: 'listening'; listener: Listener }
  | { type: 'connecting'; connecting: Connecting }
  /** The same connect again, by a blocking call that a signal had ended, or by another thread. */
  | { type: 'held'; cookie: bigint; place: Place; held: HeldConnect }
  /** The process has given the connection up. */
  | { type: 'disconnected'; cookie: bigint }

export type SpawnerData = { filteredThread: SharedArrayBuffer }
export type Command = { file: string; args: string[]; environment: Record<string, string>; cwd: string }
export type ToSpawner = { type: 'spawn'; command: Command }
export type PlainFailure = {
  kind: ErrorKind
  values: Record<string, string | number>
  detail?: string | undefined
}
export type FromSpawner =
  | { type: 'filtered'; listener: number; noNewPrivileges: boolean }
  | { type: 'unfiltered'; failure: PlainFailure }
  | { type: 'spawned'; pid: number }
  | { type: 'refused'; failure: PlainFailure }
  | { type: 'exit'; code: number | null; signal: string | null }

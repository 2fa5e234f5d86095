// What the supervisor and its threads say to each other.
import type { Endpoint } from '../../protocol/codec.ts'
import type { ErrorKind } from '../../protocol/errors.ts'
import type { OutgoingRules, PodNames } from '../../protocol/hook/messages.ts'
import type { Learned } from '../../protocol/outgoing/filter.ts'
import type { Listener, Notice } from '../syscalls/world.ts'
import type { SharedMemory } from './announcements.ts'
import type { ConnectMessage } from './connecting.ts'
import type { DatagramAnswer, DatagramMessage } from './datagrams.ts'
import type { UnixConnectAnswer, UnixConnectMessage } from './unix-connecting.ts'
import type { Range } from './window.ts'

export type AnswererData = {
  memory: SharedMemory
  ledger: number
  /** One Int32: the thread id of the spawner, 0 before it is known. */
  filteredThread: SharedArrayBuffer
  /** See accept-watch.ts. */
  acceptWatch: SharedArrayBuffer
}
export type ToAnswerer =
  | { type: 'listen'; listener: number; window: readonly Range[] }
  | { type: 'addresses'; addresses: readonly string[] }
  | { type: 'outgoing'; rules: OutgoingRules }
  | { type: 'names'; names: PodNames; addresses?: readonly string[] }
  | { type: 'learn'; learned: Learned }
  | { type: 'dialled'; cookie: bigint; local: Endpoint }
  /** What SO_ERROR is to say. */
  | { type: 'refused'; cookie: bigint; errno: number }
  /** The socket is as it was before connect. */
  | { type: 'forget'; cookie: bigint }
  /** A held connect has its answer. */
  | { type: 'answered'; id: bigint }
  | DatagramAnswer
  | UnixConnectAnswer
export type FromAnswerer =
  | { type: 'loaded' }
  | { type: 'ready'; complete: boolean }
  | { type: 'notice'; notice: Notice }
  | { type: 'listening'; listener: Listener }
  | ConnectMessage
  | DatagramMessage
  | UnixConnectMessage

export type SpawnerData = { filteredThread: SharedArrayBuffer }
export type Command = { file: string; args: string[]; environment: Record<string, string>; cwd: string }
export type ToSpawner = { type: 'spawn'; command: Command }
export type PlainFailure = {
  kind: ErrorKind
  values: Record<string, string | number>
  detail?: string | undefined
}
export type FromSpawner =
  | { type: 'filtered'; listener: number; noNewPrivileges: boolean; window: readonly Range[] }
  | { type: 'unfiltered'; failure: PlainFailure }
  | { type: 'spawned'; pid: number }
  | { type: 'refused'; failure: PlainFailure }
  | { type: 'exit'; code: number | null; signal: string | null }

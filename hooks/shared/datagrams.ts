// What the answerer and the supervisor tell each other of UDP sockets that send to what is the pod's.
import type { Endpoint } from '../../protocol/codec.ts'
import type { Outlet } from '../../protocol/hook/datagrams.ts'
import type { Place } from './connecting.ts'

/** A call that waits until the server has an outlet for each of its peers. */
export type Asking = {
  /** The socket's cookie, and which of its lives. */
  socket: string
  cookie: bigint
  inode: number
  family: number
  from: Endpoint
  to: readonly Endpoint[]
  /** Why each of them is the pod's. */
  rules: readonly string[]
  connects: boolean
  place: Place
  /** The trapped call itself, which is answered when the outlets are known. */
  call: Uint8Array
  /** For a send: outlets that are known already, and addresses of this machine, which it names too. */
  known: readonly Outlet[]
  here: readonly Endpoint[]
}

export type DatagramMessage =
  | { type: 'outlets'; asking: Asking }
  | { type: 'datagramsClosed'; socket: string }

export type DatagramAnswer =
  | { type: 'outlets'; socket: string; cookie: bigint; outlets: readonly Outlet[] }
  | { type: 'datagramsConnected'; cookie: bigint; family: number; to: Endpoint; local: Endpoint }

// UDP sockets that have sent to what is the pod's, as the answerer remembers them.
import type { Endpoint } from '../../../protocol/codec.ts'
import { BoundedMap } from '../../shared/bounded-map.ts'
import { type KeptDatagrams, makeKeptDatagrams } from './kept.ts'

const socketLimit = 16_384
const threadLimit = 1024

/** One life of a socket: it begins with its first datagram to the pod's world, or with connect, and ends with the next connect. */
export type DatagramSocket = {
  readonly id: string
  readonly from: Endpoint
  readonly outlets: Map<string, Endpoint>
}

/** A send whose answer a signal kept from its thread: what it sent and what it gave. `words` are the call's number and arguments. */
export type LostSend = { words: Buffer; sent: readonly Buffer[]; result: number; atMs: number }

export type DatagramSockets = {
  readonly lives: Map<bigint, DatagramSocket>
  /** By the socket's cookie and by outlet; what came from an outlet may be read when its life is over. */
  readonly sources: Map<bigint, Map<string, Endpoint>>
  /** Received for calls that a signal ended. */
  readonly kept: KeptDatagrams
  /** By thread: what it has sent by a call that a signal ended. */
  readonly lost: Map<number, LostSend>
  count: number
}

export const makeDatagramSockets = (): DatagramSockets => ({
  lives: new BoundedMap(socketLimit),
  sources: new BoundedMap(socketLimit),
  kept: makeKeptDatagrams(),
  lost: new BoundedMap(threadLimit),
  count: 0,
})

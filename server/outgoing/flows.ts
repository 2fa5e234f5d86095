// The flows of one UDP socket of a process for whoever looks: one for each peer, from its first datagram to the end of the socket.
import { endpointKey } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import type { FlowFailure, FlowTaps } from '../traffic/flow.ts'

export type FlowWish = { to: Endpoint; rule: string; local?: Endpoint | undefined }
type Tell = (taps: FlowTaps) => void

const heardFirst = 'the peer sent first'

/** Its owner has an outlet for each peer, whose number is bounded. */
export class Flows {
  readonly #view: (wish: FlowWish) => FlowTaps
  readonly #rules = new Map<string, string>()
  readonly #taps = new Map<string, FlowTaps>()
  #local: Endpoint | undefined
  #isClosed = false

  constructor(view: (wish: FlowWish) => FlowTaps) {
    this.#view = view
  }

  /** Why a peer is the pod's. */
  chosen(to: Endpoint, rule: string): void {
    this.#rules.set(endpointKey(to), rule)
  }

  /** The pod's end, of a socket that is connected. */
  connected(local: Endpoint): void {
    this.#local = local
  }

  /** A datagram to a peer, or from it. */
  passed(peer: Endpoint, tell: Tell): void {
    if (this.#isClosed) return
    const key = endpointKey(peer)
    const taps = this.#taps.get(key) ?? this.#begin(peer)
    this.#taps.set(key, taps)
    tell(taps)
  }

  /** There is no way to a peer. Without a port it is no peer: whoever connects so asks for a route. */
  failed(to: Endpoint, rule: string, failure: FlowFailure): void {
    if (to.port !== 0) this.#view({ to, rule }).failed(failure)
  }

  close(): void {
    this.#isClosed = true
    for (const taps of this.#taps.values()) taps.over()
    this.#taps.clear()
  }

  #begin(to: Endpoint): FlowTaps {
    return this.#view({ to, rule: this.#rules.get(endpointKey(to)) ?? heardFirst, local: this.#local })
  }
}

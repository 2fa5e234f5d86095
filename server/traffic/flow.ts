// The datagrams between one UDP socket of a process and one peer of the pod's world, as the views see them: the first of them, what the network refused, and the counts at the end.
import type { Endpoint } from '../../protocol/codec.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import type { LeavingFacts } from './leaving.ts'
import type { Sink } from './sink.ts'

/** `local`: the pod's end, which is known when the process's socket is connected. */
export type FlowFacts = Omit<LeavingFacts, 'protocol'> & { local?: Endpoint | undefined }

/** `afterMs`: since the process asked for it. */
export type FlowFailure = { errno: string; afterMs: number }

/** What its owner tells: `failed` alone where there is no way; else datagrams as they pass, and `over`. */
export type FlowTaps = {
  failed(failure: FlowFailure): void
  sent(bytes: number): void
  received(bytes: number): void
  /** One from the process was dropped on this machine. */
  lost(): void
  /** The network says that one did not arrive. */
  undelivered(errno: string): void
  over(): void
}

export type FlowOptions = FlowFacts & { connection: string; sink: Sink }

export class Flow implements FlowTaps {
  readonly #options: FlowOptions
  readonly #bytes = { sent: 0, received: 0 }
  readonly #datagrams = { sent: 0, received: 0, undelivered: 0, lost: 0 }
  /** A network has only so many, and each is told once. */
  readonly #errnos = new Set<string>()
  #begunAt: number | undefined
  #isOver = false

  constructor(options: FlowOptions) {
    this.#options = options
  }

  /** How a view that begins in the middle is told of it; undefined before its first datagram. */
  opening(joined: boolean): TrafficEvent | undefined {
    if (this.#begunAt === undefined) return undefined
    const { local } = this.#options
    const end = local === undefined ? {} : { local }
    return { event: 'outgoingOpened', at: this.#begunAt, ...this.#shown(), ...end, joined }
  }

  failed({ errno, afterMs }: FlowFailure): void {
    this.#isOver = true
    const { sink } = this.#options
    sink.show({
      event: { event: 'outgoingFailed', at: sink.clock(), ...this.#shown(), afterMs, errno },
    })
  }

  sent(bytes: number): void {
    this.#begin()
    this.#datagrams.sent += 1
    this.#bytes.sent += bytes
  }

  received(bytes: number): void {
    this.#begin()
    this.#datagrams.received += 1
    this.#bytes.received += bytes
  }

  lost(): void {
    this.#begin()
    this.#datagrams.lost += 1
  }

  undelivered(errno: string): void {
    this.#begin()
    this.#datagrams.undelivered += 1
    if (this.#errnos.has(errno)) return
    this.#errnos.add(errno)
    const { sink, connection, to } = this.#options
    sink.show({ event: { event: 'outgoingUndelivered', at: sink.clock(), connection, to, errno } })
  }

  over(): void {
    if (this.#isOver || this.#begunAt === undefined) return
    this.#isOver = true
    const { connection, sink } = this.#options
    const counts = { ...this.#bytes, datagrams: { ...this.#datagrams } }
    sink.show({ event: { event: 'outgoingClosed', at: sink.clock(), connection, ...counts } })
  }

  #begin(): void {
    if (this.#begunAt !== undefined) return
    const { sink } = this.#options
    this.#begunAt = sink.clock()
    sink.show({ event: this.opening(false)! })
  }

  #shown() {
    const { connection, to, rule, name } = this.#options
    return { connection, protocol: 'udp' as const, to, rule, ...(name === undefined ? {} : { name }) }
  }
}

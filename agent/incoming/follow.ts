// Follows all connections of the subscribed ports: gives each packet to its connection, begins and ends them, and keeps the bounds.
import { addressText } from './address.ts'
import { type CaptureSink, Connection, type Outcome, type Proposal } from './connection.ts'
import { ConnectionTable } from './connection-table.ts'
import type { Budget, Overlap } from './out-of-order.ts'
import { beginsRequest } from './request-line.ts'
import { ACK, checksumHolds, emptySegment, type Packet, RST, readSegment, SYN } from './segment.ts'
import type { Subscription } from './subscription.ts'

const PACKET_OUTGOING = 4
const LOOPBACK_IFINDEX = 1

/** What the kernel tells of a packet beside its bytes. */
export type Sighting = Packet & {
  interfaceIndex: number
  packetType: number
  /** The kernel vouches for the checksum, or has not filled it in because the packet never met a wire. */
  checksumKnown: boolean
  /** Time of the packet in milliseconds since the Unix epoch. */
  timeMs: number
}

export type FollowOptions = {
  prefix: string
  overlap?: Overlap
  limits?: Partial<Limits>
}

/**
 * Out-of-order bytes of one direction (Linux lets a receiver hold 6 MiB by default) and of all; connections that are remembered; and for how long
 * without a packet: open ones, ended ones, ones whose handshake never ended, and open ones after the ring lost packets.
 */
export type Limits = {
  earlyBytes: number
  allEarlyBytes: number
  connections: number
  idleMs: number
  overMs: number
  handshakeMs: number
  suspectMs: number
}
export const defaultLimits: Limits = {
  earlyBytes: 8 * 2 ** 20,
  allEarlyBytes: 64 * 2 ** 20,
  connections: 65_536,
  idleMs: 2 * 60 * 60 * 1000,
  overMs: 60_000,
  handshakeMs: 130_000,
  suspectMs: 5000,
}

export const tooSlow = 'the agent could not keep up'

export class Follower {
  readonly counters = { packets: 0, bytes: 0, connections: 0, gaps: 0, ringDrops: 0, unopened: 0 }
  /** A clock that never jumps, in milliseconds; whoever feeds packets moves it. */
  nowMs = 0
  readonly #table = new ConnectionTable()
  readonly #segment = emptySegment()
  readonly #limits: Limits
  readonly #budget: Budget
  #ports = new Set<number>()
  #answers = false
  #loopbackOnly = false
  #lastNumber = 0
  #lostMs = Number.NEGATIVE_INFINITY
  constructor(
    readonly sink: CaptureSink,
    readonly options: FollowOptions,
  ) {
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#budget = { usedBytes: 0, limitBytes: this.#limits.allEarlyBytes }
  }

  /** Connections of ports that are no longer named end; the others go on as they began. */
  subscribe(subscription: Subscription): void {
    const moved = subscription.loopbackOnly !== this.#loopbackOnly
    this.#ports = new Set(subscription.ports)
    this.#answers = subscription.answers !== 'none'
    this.#loopbackOnly = subscription.loopbackOnly
    this.#table.sweep(connection => {
      if (!moved && this.#ports.has(connection.options.pod.port)) return false
      if (!connection.over) connection.reset('its port is no longer mirrored')
      return true
    })
  }

  packet(view: DataView, source: Uint8Array, sighting: Sighting): void {
    const segment = this.#segment
    if (!readSegment(view, sighting, segment)) return
    this.counters.packets++
    this.counters.bytes += segment.payloadBytes
    const whole = segment.capturedBytes === segment.payloadBytes
    if (whole && !sighting.checksumKnown && !checksumHolds(view, segment)) return
    const toPod = this.#headsToPod(view, sighting)
    if (toPod === undefined) return
    const connection = this.#table.find(view, segment, toPod)
    if (connection === undefined || connection.over) {
      if (connection) connection.lastMs = this.nowMs
      if (toPod) this.#begin(connection, view, source, sighting.timeMs)
      return
    }
    this.#advance(connection, toPod, view, source, sighting.timeMs)
  }

  /** The ring overflowed: packets of any connection may be missing. To be called when all that came before has been given to `packet`. */
  lost(packets: number): void {
    this.counters.ringDrops += packets
    this.#lostMs = this.nowMs
  }

  /** To be called about once a second: forgets what has been silent for too long. */
  sweep(): void {
    const suspects = this.nowMs - this.#lostMs > this.#limits.suspectMs
    this.#table.sweep(connection => {
      const silentMs = this.nowMs - connection.lastMs
      if (connection.over) return silentMs > this.#limits.overMs
      if (suspects && connection.lastMs <= this.#lostMs) this.#suspect(connection)
      if (connection.over) return false
      if (silentMs <= (connection.opened ? this.#limits.idleMs : this.#limits.handshakeMs)) return false
      connection.reset(`no packet for ${Math.round(silentMs / 60_000)} min`)
      return true
    })
  }

  /** Nothing has come since packets were lost, so nothing can show whether its last ones, or its end, were among them. */
  #suspect(connection: Connection): void {
    if (connection.opened) this.counters.gaps++
    connection.reset('gap: packets were lost, and none followed')
  }

  /** Ends everything. */
  close(reason: string): void {
    for (const connection of this.#table.connections()) if (!connection.over) connection.reset(reason)
    this.#table.sweep(() => true)
  }

  /** On loopback, where both ends may have a subscribed port, a connection that is known decides. */
  #headsToPod(view: DataView, sighting: Sighting): boolean | undefined {
    const { sourcePort, destinationPort } = this.#segment
    const loopback = sighting.interfaceIndex === LOOPBACK_IFINDEX
    const outgoing = sighting.packetType === PACKET_OUTGOING
    if (loopback ? outgoing : this.#loopbackOnly) return undefined
    const received = this.#ports.has(destinationPort) && (loopback || !outgoing)
    const sent = this.#ports.has(sourcePort) && (loopback || outgoing)
    if (received && sent) return this.#table.find(view, this.#segment, false) === undefined
    return received || sent ? received : undefined
  }

  #begin(old: Connection | undefined, view: DataView, source: Uint8Array, timeMs: number): void {
    const { flags, seq, payloadAt, capturedBytes } = this.#segment
    const end = payloadAt + capturedBytes
    if ((flags & (SYN | ACK | RST)) === SYN) {
      if (old?.proposedSeq === seq) return
      this.#add(view)?.propose({ seq, bytes: source.slice(payloadAt, end), atMs: timeMs })
    } else if (
      old === undefined &&
      (flags & (SYN | ACK | RST)) === ACK &&
      beginsRequest(source, payloadAt, end)
    ) {
      const connection = this.#add(view)
      if (connection === undefined) return
      this.counters.connections++
      connection.join(this.#segment, timeMs)
      this.#advance(connection, true, view, source, timeMs)
    }
  }

  #advance(connection: Connection, toPod: boolean, view: DataView, source: Uint8Array, timeMs: number): void {
    const segment = this.#segment
    connection.lastMs = this.nowMs
    const wasOpened = connection.opened
    if (!this.sink.ready && (segment.payloadBytes > 0 || !wasOpened)) {
      if (!wasOpened) this.counters.unopened++
      connection.reset(tooSlow)
      return
    }
    const outcome = toPod
      ? connection.fromCaller(segment, source, timeMs)
      : connection.fromPod(segment, source, timeMs)
    if (connection.opened && !wasOpened) this.counters.connections++
    this.#conclude(connection, outcome, view, source, timeMs)
  }

  #conclude(
    connection: Connection,
    outcome: Outcome,
    view: DataView,
    source: Uint8Array,
    timeMs: number,
  ): void {
    if (outcome.is === 'gap' || outcome.is === 'replaced') this.counters.gaps++
    if (outcome.is === 'done') connection.bury()
    if (outcome.is === 'gap' || outcome.is === 'gone') connection.reset(outcome.reason)
    if (outcome.is === 'replaced') this.#replace(connection, outcome.by, view, source, timeMs)
  }

  /** The caller's end of the old one was never captured; the pod's SYN, which is at hand, belongs to its successor. */
  #replace(old: Connection, by: Proposal, view: DataView, source: Uint8Array, timeMs: number): void {
    old.reset('gap: its end was not captured')
    const { number, prefix, ...rest } = old.options
    const connection = new Connection({ ...rest, number: ++this.#lastNumber, prefix }, this.sink)
    connection.propose(by)
    this.#table.put(view, this.#segment, false, connection)
    this.#advance(connection, false, view, source, timeMs)
  }

  #add(view: DataView): Connection | undefined {
    if (!this.sink.ready) {
      this.counters.unopened++
      return undefined
    }
    if (this.#table.size >= this.#limits.connections) this.#makeRoom()
    const { addressAt, addressBytes, sourcePort, destinationPort } = this.#segment
    const connection = new Connection(
      {
        number: ++this.#lastNumber,
        prefix: this.options.prefix,
        caller: { address: addressText(view, addressAt, addressBytes), port: sourcePort },
        pod: { address: addressText(view, addressAt + addressBytes, addressBytes), port: destinationPort },
        answers: this.#answers,
        overlap: this.options.overlap ?? 'first',
        limitBytes: this.#limits.earlyBytes,
        budget: this.#budget,
      },
      this.sink,
    )
    connection.lastMs = this.nowMs
    this.#table.put(view, this.#segment, true, connection)
    return connection
  }

  /** A sixteenth at once, so that a flood of connections does not sort the table for each. Ended and unborn ones go first. */
  #makeRoom(): void {
    const rank = (one: Connection) => (one.over ? 0 : one.opened ? 2 : 1)
    const all = [...this.#table.connections()].sort((a, b) => rank(a) - rank(b) || a.lastMs - b.lastMs)
    const leaving = new Set(all.slice(0, Math.max(1, all.length >> 4)))
    for (const connection of leaving)
      if (!connection.over) connection.reset('too many connections, and it was idle the longest')
    this.#table.sweep(connection => leaving.has(connection))
  }
}

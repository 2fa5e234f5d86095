// The copy of one caller's half of a connection: when it is delivered, to which listener, and when it is dropped.
import type { Opened } from '../../protocol/agent/control.ts'
import type { LinkStream, StreamData } from '../../protocol/link/link-stream.ts'
import type { ConnectionTaps } from '../traffic/connection.ts'
import { beginsRequestLine } from '../traffic/http/start-line.ts'
import { closedByProcess, Delivery, type DeliveryEnd } from './delivery.ts'
import { dialListener } from './dial.ts'
import type { Doorways } from './doorways.ts'
import type { DeliveryListener } from './listener.ts'
import type { SourcePorts } from './source.ts'

export type CopyOptions = {
  stream: LinkStream
  opened: Opened
  taps: ConnectionTaps
  listenerFor(podPort: number): DeliveryListener | undefined
  ports: SourcePorts
  doorways: Doorways
  /** Bytes that all copies of the session hold. */
  held: { bytes: number }
  clock(): number
  /** The process did not get this copy, or not whole. */
  onLost(reason: string): void
  /** Nothing of it is left. */
  onDone(copy: Copy): void
}

/** What all copies of a session may hold together; the one that would go beyond it is given up. */
export const maxHeldBytes = 64 << 20

/**
 * A copy without bytes waits for its listener. Once bytes have come and nobody listens it is dropped, and the rest of it is read and
 * thrown away. A dropped copy, and one whose process has closed the connection, is delivered again from the next HTTP/1 request on that
 * begins a piece of data, as a connection of its own: callers keep connections open for hours, and the process may start, or be
 * restarted, in the middle of one.
 */
export class Copy {
  #delivery: Delivery | undefined
  /** Why the rest is thrown away; undefined while the copy waits for a listener or is delivered. */
  #dropped: string | undefined
  #ended = false
  /** The caller's side did not end in order; why is counted where it happened. */
  #cutOff = false
  readonly #deliveries = new Set<Delivery>()
  readonly #options: CopyOptions

  constructor(options: CopyOptions) {
    this.#options = options
  }

  begin(): void {
    const listener = this.#listener()
    if (listener !== undefined) this.#deliver(listener)
    this.#options.stream.events = {
      data: data => this.#data(data),
      end: () => this.#end(),
      reset: reason => this.#reset(reason),
    }
  }

  abort(reason: string): void {
    this.#ended = true
    this.#cutOff = true
    this.#options.stream.reset(reason)
    this.#options.taps.received.reset(reason, this.#options.clock())
    for (const delivery of this.#deliveries) delivery.abort(reason)
  }

  #data({ bytes, timeMs = this.#options.clock(), skipped = 0 }: StreamData): void {
    const { stream, taps } = this.#options
    if (bytes.length > 0) {
      this.#choose(bytes)
      taps.received.data(bytes, timeMs)
      if (!this.#hold(bytes.length)) stream.grant(bytes.length)
      else this.#delivery?.write(bytes)
    }
    if (skipped > 0) this.#skipped(skipped, timeMs)
  }

  /** Whether there is a delivery for so many more bytes. */
  #hold(bytes: number): boolean {
    const { held } = this.#options
    if (this.#delivery === undefined || this.#delivery.over) return false
    if (held.bytes + bytes > maxHeldBytes) {
      this.#giveUp('the process is too slow for all its connections together')
      return false
    }
    held.bytes += bytes
    return true
  }

  /** Decides where these bytes go, before they count as seen: a delivery that begins with them is told of the request in them. */
  #choose(bytes: Buffer): void {
    if (this.#delivery !== undefined && !this.#delivery.over && !this.#delivery.processEnded) return
    if (this.#delivery === undefined && this.#dropped === undefined) {
      this.#first()
      return
    }
    const listener = this.#beginsRequest(bytes) ? this.#listener() : undefined
    if (listener !== undefined) {
      this.#delivery?.end()
      this.#deliver(listener)
    } else if (this.#delivery?.over === true) this.#drop(closedByProcess)
  }

  #first(): void {
    const listener = this.#listener()
    if (listener === undefined) this.#refuse()
    else this.#deliver(listener)
  }

  #refuse(): void {
    const { taps, opened, clock } = this.#options
    const reason = `nothing listens on port ${opened.pod.port}`
    taps.process().reset(reason, clock())
    this.#drop(reason)
  }

  /** The pod's bytes are never shown with a hole in them. */
  #skipped(bytes: number, timeMs: number): void {
    this.#options.taps.received.skipped(bytes, timeMs)
    this.#giveUp('bytes of the caller were not captured')
  }

  #giveUp(reason: string): void {
    const delivery = this.#delivery
    this.#drop(reason)
    if (delivery === undefined) return
    // Its end was counted with the drop.
    this.#deliveries.delete(delivery)
    delivery.abort(reason)
  }

  #end(): void {
    if (this.#delivery === undefined && this.#dropped === undefined) this.#first()
    this.#ended = true
    this.#options.taps.received.end(this.#options.clock())
    this.#delivery?.end()
    this.#settle()
  }

  #reset(reason: string): void {
    this.#ended = true
    this.#cutOff = true
    this.#options.taps.received.reset(reason, this.#options.clock())
    if (!isCallersReset(reason))
      this.#options.onLost(reason.startsWith('gap') ? 'a gap in the capture' : reason)
    this.#delivery?.reset(reason)
    this.#settle()
  }

  #listener(): DeliveryListener | undefined {
    return this.#options.listenerFor(this.#options.opened.pod.port)
  }

  #beginsRequest(bytes: Buffer): boolean {
    return this.#options.taps.received.atMessageStart && beginsRequestLine(bytes)
  }

  #deliver(listener: DeliveryListener): void {
    const { stream, taps, opened, ports, doorways, held, clock } = this.#options
    const { caller, pod } = opened
    const delivery: Delivery = new Delivery({
      dial: signal => dialListener({ listener, caller, pod, ports, doorways, signal }),
      tap: taps.process(),
      clock,
      onFreed: bytes => {
        held.bytes -= bytes
        if (!this.#ended) stream.grant(bytes)
      },
      onOver: end => this.#over(delivery, end),
    })
    this.#dropped = undefined
    this.#delivery = delivery
    this.#deliveries.add(delivery)
  }

  #over(delivery: Delivery, end: DeliveryEnd): void {
    if (!this.#deliveries.delete(delivery)) return
    if (delivery === this.#delivery && !this.#cutOff) this.#currentOver(end)
    else if (end.lostBytes > 0 && !this.#cutOff) this.#options.onLost(end.reason)
    this.#settle()
  }

  #currentOver({ reason, lostBytes, connected, refused }: DeliveryEnd): void {
    // A connection that brought no bytes yet may still find the listener when they come.
    if (refused && lostBytes === 0 && !this.#ended) this.#delivery = undefined
    else if (lostBytes > 0 || !connected) this.#drop(reason)
  }

  #drop(reason: string): void {
    if (this.#dropped === undefined) this.#options.onLost(reason)
    this.#dropped = reason
    this.#delivery = undefined
  }

  #settle(): void {
    if (this.#ended && this.#deliveries.size === 0) this.#options.onDone(this)
  }
}

/** A caller's or pod's own RST is part of the copy; any other reason (a gap, a slow reader, the link) means that the rest is missing. */
function isCallersReset(reason: string): boolean {
  return /\b(rst|reset by)\b/i.test(reason)
}

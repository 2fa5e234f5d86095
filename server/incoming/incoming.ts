// Mirrored connections of one session on their way to the process: each becomes one connection to the listener of its port.
import { opened as openedCodec } from '../../protocol/agent/control.ts'
import { decode } from '../../protocol/codec.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import type { TrafficTap } from '../traffic/connection.ts'
import type { Traffic } from '../traffic/traffic.ts'
import { Copy } from './copy.ts'
import { Doorways } from './doorways.ts'
import type { DeliveryListener } from './listener.ts'
import { SourcePorts } from './source.ts'

export type Incoming = {
  /** A stream that the agent opened, with its payload (protocol/agent/control.ts `opened`, not yet checked). */
  accept(stream: LinkStream, payload: unknown): void
  /** Copies that the process did not get, or not whole, by reason. */
  readonly lost: Readonly<Record<string, number>>
  /** Ends what is under way, to the process with a reset; streams that come later are refused. */
  close(reason: string): void
}

export type IncomingOptions = {
  /** Asked for each connection anew, so a process may start, stop and restart its listener at any time. */
  listenerFor(podPort: number): DeliveryListener | undefined
  traffic: Traffic
  /** The process did not get a copy, or not whole; called for each. */
  onLost(reason: string): void
  /** A sentence for the log: what the agent got wrong. */
  onNotice(text: string): void
  /** Milliseconds since the Unix epoch, with a fraction; the same as the traffic's. */
  clock?: () => number
}

export function createIncoming(options: IncomingOptions): Incoming {
  return new SessionIncoming(options)
}

class SessionIncoming implements Incoming {
  readonly lost: Record<string, number> = {}
  #closed: string | undefined
  readonly #copies = new Set<Copy>()
  readonly #sent = new Set<LinkStream>()
  readonly #ports = new SourcePorts()
  readonly #doorways = new Doorways()
  readonly #held = { bytes: 0 }
  readonly #options: IncomingOptions
  readonly #clock: () => number

  constructor(options: IncomingOptions) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.timeOrigin + performance.now())
  }

  accept(stream: LinkStream, payload: unknown): void {
    if (this.#closed !== undefined) {
      stream.reset(this.#closed)
      return
    }
    const decoded = decode(openedCodec, payload)
    if (!decoded.ok) {
      stream.reset('its opening is not understood')
      this.#options.onNotice(`A mirrored connection was refused: ${decoded.faults.join('; ')}`)
      return
    }
    // Nothing is ever said back on a stream of the capture.
    stream.end()
    const opened = decoded.value
    const taps = this.#options.traffic.connection(opened)
    if (opened.direction === 'sent') this.#watch(stream, taps.sent)
    else this.#copy(new Copy({ ...this.#forCopy(), stream, opened, taps }))
  }

  close(reason: string): void {
    this.#closed ??= reason
    for (const copy of this.#copies) copy.abort(reason)
    for (const stream of this.#sent) stream.reset(reason)
    this.#copies.clear()
    this.#sent.clear()
  }

  #forCopy() {
    return {
      listenerFor: this.#options.listenerFor,
      ports: this.#ports,
      doorways: this.#doorways,
      held: this.#held,
      clock: this.#clock,
      onLost: (reason: string) => this.#count(reason),
      onDone: (copy: Copy) => this.#copies.delete(copy),
    }
  }

  #copy(copy: Copy): void {
    this.#copies.add(copy)
    copy.begin()
  }

  /** The pod's own answers go to the views alone. */
  #watch(stream: LinkStream, tap: TrafficTap): void {
    this.#sent.add(stream)
    stream.events = {
      data: ({ bytes, timeMs = this.#clock(), skipped = 0 }) => {
        if (bytes.length > 0) tap.data(bytes, timeMs)
        if (skipped > 0) tap.skipped(skipped, timeMs)
        stream.grant(bytes.length)
      },
      end: () => {
        this.#sent.delete(stream)
        tap.end(this.#clock())
      },
      reset: reason => {
        this.#sent.delete(stream)
        tap.reset(reason, this.#clock())
      },
    }
  }

  #count(reason: string): void {
    this.lost[reason] = (this.lost[reason] ?? 0) + 1
    this.#options.onLost(reason)
  }
}

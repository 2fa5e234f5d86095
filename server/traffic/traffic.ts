// The live views of one session: what callers sent, what pod and process answered, as events under credit.
import type { Opened } from '../../protocol/agent/control.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { Connection, type ConnectionTaps } from './connection.ts'
import type { Sink } from './sink.ts'
import { UnfinishedMessages } from './unfinished.ts'
import { type SeenEvent, View } from './view.ts'

export type TrafficNeeds = { answers: 'none' | 'heads' | 'all'; viewing: boolean }

export type TrafficView = {
  /** Lets `events` more be sent. */
  grant(events: number): void
  /** Ends the view; returns the events lost since the last batch. */
  stop(): number
}

export type ViewRequest = {
  credit: number
  /** Only connections to these ports of the pod; all by default. */
  ports?: readonly number[]
  bodyBytes: number
  send(batch: { events: TrafficEvent[]; dropped: number }): void
}

export type Traffic = {
  readonly needs: TrafficNeeds
  /** Called when `needs` changed, so that the session can subscribe to more or less at the agent. */
  onNeedsChanged: (() => void) | undefined
  addView(options: ViewRequest): TrafficView
  /** Taps of a connection. It is called for each half that the agent opens; both calls give the same taps, whichever comes first. */
  connection(opened: Opened): ConnectionTaps
  close(): void
}

export type TrafficOptions = {
  /** Milliseconds since the Unix epoch, with a fraction. */
  clock?: () => number
}

/** A view and what it has been told of; `introduced` holds the connections that were open before it and that it has heard of since. */
type Viewer = {
  view: View
  bodyBytes: number
  firstSerial: number
  introduced: Set<string>
  wants(port: number): boolean
}
type Live = { opened: Opened; serial: number; connection: Connection }

export function createTraffic(options: TrafficOptions = {}): Traffic {
  return new SessionTraffic(options)
}

class SessionTraffic implements Traffic {
  onNeedsChanged: (() => void) | undefined
  #needs: TrafficNeeds = { answers: 'none', viewing: false }
  #serial = 0
  readonly #viewers = new Set<Viewer>()
  readonly #live = new Map<string, Live>()
  readonly #unfinished = new UnfinishedMessages()
  readonly #clock: () => number

  constructor({ clock = () => performance.timeOrigin + performance.now() }: TrafficOptions) {
    this.#clock = clock
  }

  get needs(): TrafficNeeds {
    return this.#needs
  }

  addView(request: ViewRequest): TrafficView {
    const ports = request.ports === undefined ? undefined : new Set(request.ports)
    const viewer: Viewer = {
      view: new View(request),
      bodyBytes: request.bodyBytes,
      firstSerial: this.#serial,
      introduced: new Set(),
      wants: port => ports === undefined || ports.has(port),
    }
    this.#viewers.add(viewer)
    this.#updateNeeds()
    return {
      grant: events => viewer.view.grant(events),
      stop: () => {
        this.#viewers.delete(viewer)
        this.#updateNeeds()
        return viewer.view.stop()
      },
    }
  }

  connection(opened: Opened): ConnectionTaps {
    const { connection } = this.#live.get(opened.connection) ?? this.#add(opened)
    connection.begin(opened.direction)
    return connection.taps
  }

  close(): void {
    for (const { view } of this.#viewers) view.stop()
    this.#viewers.clear()
    this.#live.clear()
    this.#unfinished.close()
    this.#updateNeeds()
  }

  #add(opened: Opened): Live {
    const serial = this.#serial++
    const live: Live = {
      opened,
      serial,
      connection: new Connection({
        opened,
        sink: this.#sink(opened, serial),
        onPodClosed: () => this.#live.delete(opened.connection),
      }),
    }
    this.#live.set(opened.connection, live)
    this.#show(opened, serial, { event: openedEvent(opened, opened.joined) })
    return live
  }

  #sink(opened: Opened, serial: number): Sink {
    const viewers = this.#viewers
    const { port } = opened.pod
    return {
      get viewing() {
        return viewers.size > 0 && [...viewers].some(viewer => viewer.wants(port))
      },
      get bodyBytes() {
        const wanting = [...viewers].filter(viewer => viewer.wants(port))
        return Math.max(0, ...wanting.map(viewer => viewer.bodyBytes))
      },
      clock: this.#clock,
      show: seen => this.#show(opened, serial, seen),
      unfinished: show => this.#unfinished.add(show),
    }
  }

  #show(opened: Opened, serial: number, seen: SeenEvent): void {
    for (const viewer of this.#viewers) {
      if (!viewer.wants(opened.pod.port)) continue
      if (serial < viewer.firstSerial) this.#introduce(viewer, opened)
      viewer.view.push(seen)
    }
  }

  /** A view that began in the middle of a connection is told so, with `joined`, before its first event of it. */
  #introduce({ introduced, view }: Viewer, opened: Opened): void {
    if (!introduced.has(opened.connection)) view.push({ event: openedEvent(opened, true) })
    introduced.add(opened.connection)
  }

  #updateNeeds(): void {
    const viewers = [...this.#viewers]
    const viewing = viewers.length > 0
    const bodies = viewers.some(viewer => viewer.bodyBytes > 0)
    const answers = bodies ? 'all' : viewing ? 'heads' : 'none'
    if (this.#needs.viewing === viewing && this.#needs.answers === answers) return
    this.#needs = { answers, viewing }
    this.onNeedsChanged?.()
  }
}

function openedEvent({ at, connection, caller, pod }: Opened, joined: boolean): TrafficEvent {
  return { event: 'opened', at, connection, caller, pod, joined }
}

// The live views of one session: what callers sent, what pod and process answered, what processes connect to, send and look up, as events under credit.
import type { Opened } from '../../protocol/agent/control.ts'
import type { LookedUp } from '../../protocol/rpc/outgoing-events.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { Connection, type ConnectionTaps } from './connection.ts'
import { Flow, type FlowFacts, type FlowTaps } from './flow.ts'
import { Leaving, type LeavingFacts, type LeavingTaps } from './leaving.ts'
import type { Sink } from './sink.ts'
import { UnfinishedMessages } from './unfinished.ts'
import type { SeenEvent } from './view.ts'
import { makeViewer, type Subject, showTo, type Viewer, type ViewRequest } from './viewers.ts'

export type TrafficNeeds = { answers: 'none' | 'heads' | 'all'; viewing: boolean }

export type TrafficView = {
  /** Lets `events` more be sent. */
  grant(events: number): void
  /** Ends the view; returns the events lost since the last batch. */
  stop(): number
}

export type Traffic = {
  readonly needs: TrafficNeeds
  /** Called when `needs` changed, so that the session can subscribe to more or less at the agent. */
  onNeedsChanged: (() => void) | undefined
  /** Called with true for each view that begins to look at what leaves, and with false when none does any more. */
  onWatched: ((watched: boolean) => void) | undefined
  addView(options: ViewRequest): TrafficView
  /** Taps of a connection. It is called for each half that the agent opens; both calls give the same taps, whichever comes first. */
  connection(opened: Opened): ConnectionTaps
  /** Taps of a connection that a process asks for and that is to leave from the pod. */
  leaving(facts: LeavingFacts): LeavingTaps
  /** Taps of the datagrams between a socket of a process and one peer, which leave from the pod. */
  flow(facts: FlowFacts): FlowTaps
  /** Where questions of names are told. */
  readonly lookups: LookupSink
  /** A connection that a process makes on this machine, or datagrams that it sends there. */
  stayed(facts: LeavingFacts): void
  close(): void
}

/** Whoever follows questions need not when nobody looks. */
export type LookupSink = {
  readonly viewing: boolean
  clock(): number
  show(event: LookedUp): void
}

export type TrafficOptions = {
  /** Milliseconds since the Unix epoch, with a fraction. */
  clock?: () => number
}

export function createTraffic(options: TrafficOptions = {}): Traffic {
  return new SessionTraffic(options)
}

class SessionTraffic implements Traffic {
  onNeedsChanged: (() => void) | undefined
  onWatched: ((watched: boolean) => void) | undefined
  #watched = false
  #needs: TrafficNeeds = { answers: 'none', viewing: false }
  #serial = 0
  readonly #viewers = new Set<Viewer>()
  readonly #live = new Map<string, Connection>()
  readonly #unfinished = new UnfinishedMessages()
  readonly #clock: () => number

  constructor({ clock = () => performance.timeOrigin + performance.now() }: TrafficOptions) {
    this.#clock = clock
  }

  get needs(): TrafficNeeds {
    return this.#needs
  }

  addView(request: ViewRequest): TrafficView {
    const viewer = makeViewer(request, this.#serial)
    this.#viewers.add(viewer)
    // What stays here is told once; whoever comes later has not heard it.
    if (this.#watched && viewer.wants('outgoing')) this.onWatched?.(true)
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
    const connection = this.#live.get(opened.connection) ?? this.#add(opened)
    connection.begin(opened.direction)
    return connection.taps
  }

  close(): void {
    for (const { view } of this.#viewers) {
      view.flush()
      view.stop()
    }
    this.#viewers.clear()
    this.#live.clear()
    this.#unfinished.close()
    this.#updateNeeds()
  }

  leaving(facts: LeavingFacts): LeavingTaps {
    const subject = this.#outgoing(() => leaving.opening(true))
    const leaving: Leaving = new Leaving({
      ...facts,
      connection: subject.connection,
      sink: this.#sink(subject),
    })
    return leaving
  }

  flow(facts: FlowFacts): FlowTaps {
    const subject = this.#outgoing(() => flow.opening(true))
    const flow: Flow = new Flow({ ...facts, connection: subject.connection, sink: this.#sink(subject) })
    return flow
  }

  get lookups(): LookupSink {
    const watched = () => this.#watched
    return {
      get viewing() {
        return watched()
      },
      clock: this.#clock,
      show: event => this.#showOutgoing(event),
    }
  }

  stayed({ protocol, to, rule, name }: LeavingFacts): void {
    const at = this.#clock()
    const known = name === undefined ? {} : { name }
    this.#showOutgoing({ event: 'outgoingStayed', at, protocol, to, rule, ...known })
  }

  #outgoing(opening: Subject['opening']): Subject {
    const serial = this.#serial++
    return { connection: `out${serial}`, serial, podPort: 'outgoing', opening }
  }

  #showOutgoing(event: TrafficEvent): void {
    for (const viewer of this.#viewers) if (viewer.wants('outgoing')) viewer.view.push({ event })
  }

  #add(opened: Opened): Connection {
    const subject: Subject = {
      connection: opened.connection,
      serial: this.#serial++,
      podPort: opened.pod.port,
      opening: () => openedEvent(opened, true),
    }
    const connection = new Connection({
      opened,
      sink: this.#sink(subject),
      onPodClosed: () => this.#live.delete(opened.connection),
    })
    this.#live.set(opened.connection, connection)
    showTo(this.#viewers, subject, { event: openedEvent(opened, opened.joined) })
    return connection
  }

  #sink(subject: Subject): Sink {
    const viewers = this.#viewers
    const { podPort } = subject
    return {
      get viewing() {
        return viewers.size > 0 && [...viewers].some(viewer => viewer.wants(podPort))
      },
      get bodyBytes() {
        const wanting = [...viewers].filter(viewer => viewer.wants(podPort))
        return Math.max(0, ...wanting.map(viewer => viewer.bodyBytes))
      },
      clock: this.#clock,
      show: (seen: SeenEvent) => showTo(viewers, subject, seen),
      unfinished: show => this.#unfinished.add(show),
    }
  }

  #updateNeeds(): void {
    const watched = [...this.#viewers].some(({ wants }) => wants('outgoing'))
    if (this.#watched !== watched) this.onWatched?.(watched)
    this.#watched = watched
    const viewers = [...this.#viewers].filter(({ incoming }) => incoming)
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

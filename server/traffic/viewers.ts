// Who looks at a session's traffic, what each wants to see, and what each was told of connections that were there before.
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { type SeenEvent, View } from './view.ts'

export type ViewRequest = {
  credit: number
  /** Of what arrives only connections to these ports of the pod; all by default. */
  ports?: readonly number[]
  /** Both by default; what arrives alone when ports are named. */
  directions?: readonly ('incoming' | 'outgoing')[] | undefined
  bodyBytes: number
  send(batch: { events: TrafficEvent[]; dropped: number }): void
}

/** A connection that views are shown: incoming by its port of the pod. */
export type Subject = {
  connection: string
  /** Connections that are older than a view have a lower one than its own. */
  serial: number
  podPort: number | 'outgoing'
  /** The event by which a view that began later learns of it. */
  opening(): TrafficEvent | undefined
}

/** A view and what it has been told of; `introduced` holds the connections that were open before it and that it has heard of since. */
export type Viewer = {
  view: View
  bodyBytes: number
  firstSerial: number
  introduced: Set<string>
  incoming: boolean
  wants(podPort: Subject['podPort']): boolean
}

export function makeViewer(request: ViewRequest, firstSerial: number): Viewer {
  const ports = request.ports === undefined ? undefined : new Set(request.ports)
  const directions = directionsOf(request)
  const incoming = directions.includes('incoming')
  const outgoing = directions.includes('outgoing')
  return {
    view: new View(request),
    bodyBytes: request.bodyBytes,
    firstSerial,
    introduced: new Set(),
    incoming,
    wants: podPort =>
      podPort === 'outgoing' ? outgoing : incoming && (ports === undefined || ports.has(podPort)),
  }
}

/** Whoever names ports means what arrives at them. */
export function directionsOf({
  ports,
  directions,
}: {
  [K in 'ports' | 'directions']?: ViewRequest[K] | undefined
}): readonly ('incoming' | 'outgoing')[] {
  return directions ?? (ports === undefined ? ['incoming', 'outgoing'] : ['incoming'])
}

export function showTo(viewers: Iterable<Viewer>, subject: Subject, seen: SeenEvent): void {
  for (const viewer of viewers) {
    if (!viewer.wants(subject.podPort)) continue
    if (subject.serial < viewer.firstSerial) introduce(viewer, subject)
    viewer.view.push(seen)
  }
}

/** A view that began in the middle of a connection is told so, with `joined`, before its first event of it. */
function introduce({ introduced, view }: Viewer, { connection, opening }: Subject): void {
  const event = introduced.has(connection) ? undefined : opening()
  introduced.add(connection)
  if (event !== undefined) view.push({ event })
}

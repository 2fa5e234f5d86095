// The live views of one client: each belongs to a session, and a client that does not read loses events, counted.
import { Failure } from '../../protocol/errors.ts'
import { maxBodyBytes, type TrafficEvent, trafficEvents } from '../../protocol/rpc/traffic.ts'
import { isTargetless } from '../../protocol/targetless.ts'
import type { Client } from '../rpc/client.ts'
import type { TrafficView } from '../traffic/traffic.ts'
import { directionsOf } from '../traffic/viewers.ts'
import type { Session } from './session.ts'

type View = { session: Session; view: TrafficView; lost: number }

export class TrafficViews {
  readonly #views = new Map<string, View>()
  readonly #client: Client
  #lastId = 0

  constructor(client: Client) {
    this.#client = client
  }

  start(
    session: Session,
    options: {
      credit: number
      ports?: number[] | undefined
      bodyBytes?: number | undefined
      directions?: ('incoming' | 'outgoing')[] | undefined
      announced: Promise<void>
    },
  ): string {
    const { bodyBytes = 0 } = options
    if (bodyBytes > maxBodyBytes) {
      const faults = `bodyBytes: expected 0 to ${maxBodyBytes}, got ${bodyBytes}`
      throw new Failure('params-invalid', { method: 'streamTraffic', faults })
    }
    if (!directionsOf(options).includes('outgoing') && isTargetless(session.status.target))
      throw new Failure('nothing-arrives', {})
    this.#lastId += 1
    const trafficId = `v${this.#lastId}`
    this.#forgetEnded()
    const entry: View = {
      session,
      lost: 0,
      view: session.traffic.addView({
        credit: 0,
        bodyBytes,
        directions: options.directions,
        ...(options.ports === undefined ? {} : { ports: options.ports }),
        send: batch => this.#send(trafficId, entry, batch),
      }),
    }
    this.#views.set(trafficId, entry)
    // Events must not overtake the answer that names the view.
    void options.announced.then(() => entry.view.grant(options.credit))
    return trafficId
  }

  grant(trafficId: string, credit: number): void {
    this.#get(trafficId).view.grant(credit)
  }

  stop(trafficId: string): number {
    const { view, lost } = this.#get(trafficId)
    this.#views.delete(trafficId)
    return view.stop() + lost
  }

  /** A client may leave it to the end of the session to stop its views. */
  #forgetEnded(): void {
    for (const [trafficId, { session }] of this.#views) {
      if (session.status.over) this.#views.delete(trafficId)
    }
  }

  #get(trafficId: string): View {
    const entry = this.#views.get(trafficId)
    if (entry === undefined) throw new Failure('traffic-not-found', { trafficId })
    return entry
  }

  /** Credit bounds what waits in a view; this bounds what was granted to a client that then does not read. */
  #send(
    trafficId: string,
    entry: View,
    { events, dropped }: { events: TrafficEvent[]; dropped: number },
  ): void {
    if (this.#client.congested) {
      entry.lost += dropped + events.length
      return
    }
    this.#client.notify(trafficEvents, { trafficId, events, dropped: dropped + entry.lost })
    entry.lost = 0
  }
}

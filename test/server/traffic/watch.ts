// A session's traffic under a fake clock, with one view that collects everything, for tests.
import sinon from 'sinon'
import type { TrafficEvent } from '../../../protocol/rpc/traffic.ts'
import { createTraffic, type Traffic, type TrafficView } from '../../../server/traffic/traffic.ts'
import type { ViewRequest } from '../../../server/traffic/viewers.ts'

export type Batch = { events: TrafficEvent[]; dropped: number }

/** Calls `watch` with a traffic whose own clock stands at 5,000 ms until `tick` moves it. */
export function withTraffic<T>(watch: (stage: Stage) => T): T {
  const clock = sinon.useFakeTimers({
    now: 5_000,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  })
  const stage = new Stage(clock)
  try {
    return watch(stage)
  } finally {
    stage.traffic.close()
    clock.restore()
  }
}

export class Stage {
  readonly traffic: Traffic = createTraffic({ clock: () => Date.now() })
  constructor(readonly clock: sinon.SinonFakeTimers) {}

  /** A view; its batches so far are in `batches`. */
  view(request: Partial<ViewRequest> = {}): TrafficView & { batches: Batch[]; events(): TrafficEvent[] } {
    const batches: Batch[] = []
    const view = this.traffic.addView({
      credit: 1_000_000,
      bodyBytes: 0,
      send: batch => batches.push(batch),
      ...request,
    })
    const events = () => {
      this.clock.tick(20)
      return batches.flatMap(batch => batch.events)
    }
    return { ...view, batches, events }
  }
}

/** Cuts at the given places, in any order, as often as they name one. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted]
    .map((from, index) => bytes.subarray(from, sorted[index]))
    .filter(piece => piece.length > 0)
}

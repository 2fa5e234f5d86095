// Reads a traffic view of the server: grants credit as it goes, and tells what was lost.
import type { TrafficLine } from '../../protocol/cli-output.ts'
import { creditTraffic, trafficEvents } from '../../protocol/rpc/traffic.ts'
import type { Connection } from '../rpc/connection.ts'

/** Events that may be on their way to us; half of them used up, and as many are granted again. */
export const creditEvents = 2_000

export type TrafficReader = { show(line: TrafficLine): void; flush(): void }

export function followTraffic(connection: Connection, trafficId: string, screen: TrafficReader): void {
  let used = 0
  connection.on(trafficEvents, ({ trafficId: of, events, dropped }) => {
    if (of !== trafficId) return
    if (dropped > 0) screen.show({ event: 'dropped', count: dropped })
    for (const event of events) screen.show(event)
    screen.flush()
    used += events.length
    if (used < creditEvents / 2) return
    // The answer says nothing; a failure means that the view has ended, which is told elsewhere.
    connection.request(creditTraffic, { trafficId, credit: used }).catch(() => {})
    used = 0
  })
}

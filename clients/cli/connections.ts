// exec --connections: tells of each connection that the command makes where it goes, by which rule, and what became of it.
import { outgoingEvent } from '../../protocol/rpc/outgoing-events.ts'
import { streamTraffic } from '../../protocol/rpc/traffic.ts'
import type { Connection } from '../rpc/connection.ts'
import { creditEvents, followTraffic } from './follow-traffic.ts'
import type { Reporter } from './report.ts'

export async function tellConnections(
  connection: Connection,
  sessionId: string,
  reporter: Reporter,
): Promise<void> {
  const wish = { sessionId, credit: creditEvents, directions: ['outgoing' as const] }
  const { trafficId } = await connection.request(streamTraffic, wish)
  followTraffic(connection, trafficId, {
    show(line) {
      if (outgoingEvent.is(line)) reporter.report(line)
      else if (line.event === 'dropped') {
        const message = `${line.count} events of connections and names are not told, because they came too fast`
        reporter.report({ event: 'notice', level: 'warning', message })
      }
    },
    flush() {},
  })
}

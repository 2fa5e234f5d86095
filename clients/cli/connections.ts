// exec --connections: tells of each connection that the command makes where it goes, by which rule, and what became of it.
import type { Endpoint } from '../../protocol/codec.ts'
import { type OutgoingEvent, outgoingEvent, streamTraffic } from '../../protocol/rpc/traffic.ts'
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
        const message = `${line.count} connections are not told, because they came too fast`
        reporter.report({ event: 'notice', level: 'warning', message })
      }
    },
    flush() {},
  })
}

export function connectionSentence(event: OutgoingEvent): string {
  switch (event.event) {
    case 'outgoingOpened':
      return `${event.connection}: connected to ${destination(event)} from the pod: ${event.rule}`
    case 'outgoingFailed':
      return `${event.connection}: not connected to ${destination(event)} from the pod, ${event.errno ?? 'given up'} after ${event.afterMs.toFixed(1)} ms: ${event.rule}`
    case 'outgoingClosed':
      return `${event.connection}: ended, ${event.sent} bytes sent, ${event.received} received${event.reason === undefined ? '' : ` (${event.reason})`}`
    case 'outgoingStayed':
      return `connecting to ${destination(event)} from this machine: ${event.rule}`
  }
}

function destination({ to, name }: { to: Endpoint; name?: string | undefined }): string {
  const shown = to.address.includes(':') ? `[${to.address}]:${to.port}` : `${to.address}:${to.port}`
  return name === undefined ? shown : `${name} (${shown})`
}

// One connection of the command, as a sentence.
import { isUnixName } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import type { OutgoingEvent } from '../../protocol/rpc/traffic.ts'
import { printable } from './table.ts'

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
  if (isUnixName(to.address)) return printable(to.address)
  const shown = to.address.includes(':') ? `[${to.address}]:${to.port}` : `${to.address}:${to.port}`
  return name === undefined ? shown : `${name} (${shown})`
}

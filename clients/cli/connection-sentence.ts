// What becomes of one connection, flow of datagrams or question of the command, as a sentence.
import { isUnixName } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import type { LookedUp, OutgoingEvent } from '../../protocol/rpc/outgoing-events.ts'
import { answerText, passed, shownEndpoint } from './leaving-text.ts'

export function connectionSentence(event: OutgoingEvent): string {
  switch (event.event) {
    case 'outgoingOpened':
      return `${event.connection}: ${event.protocol === 'udp' ? 'datagrams' : 'connected'} to ${destination(event)} from the pod: ${event.rule}`
    case 'outgoingFailed':
      return `${event.connection}: ${event.protocol === 'udp' ? 'no datagrams' : 'not connected'} to ${destination(event)} from the pod, ${event.errno ?? 'given up'} after ${event.afterMs.toFixed(1)} ms: ${event.rule}`
    case 'outgoingUndelivered':
      return `${event.connection}: a datagram to ${destination(event)} did not arrive, ${event.errno}`
    case 'outgoingClosed':
      return `${event.connection}: ended, ${passed(event)}${event.reason === undefined ? '' : ` (${event.reason})`}`
    case 'outgoingStayed':
      return `${event.protocol === 'udp' ? 'datagrams' : 'connecting'} to ${destination(event)} from this machine: ${event.rule}`
    case 'lookedUp':
      return lookupSentence(event)
  }
}

function lookupSentence(event: LookedUp): string {
  const { name, type, where, nameserver, file, reason, rule, durationMs } = event
  const place = where === 'pod' ? 'in the pod' : 'on this machine'
  const source = where === 'pod' ? ` from ${nameserver.address}` : file === undefined ? '' : ` from ${file}`
  const why = reason === undefined ? '' : ` (${reason})`
  return `looked up ${name} (${type}) ${place}, ${answerText(event)}${source} after ${durationMs.toFixed(1)} ms${why}: ${rule}`
}

function destination({ to, name }: { to: Endpoint; name?: string | undefined }): string {
  const shown = shownEndpoint(to)
  return name === undefined || isUnixName(to.address) ? shown : `${name} (${shown})`
}

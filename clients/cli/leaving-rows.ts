// The cells of a live table that tell of what leaves: a connection, a flow of datagrams, or a question of a name. Pure.
import type { LookedUp, OutgoingEvent } from '../../protocol/rpc/outgoing-events.ts'
import { answerText, passed, shownEndpoint } from './leaving-text.ts'

/** `caller` is who asks or is asked; `ms` "-" where nothing took time. */
export type Cells = { caller: string; status: string; ms: string; what: string }

/** `known` is whom a connection leads to that was shown before. */
export function leavingCells(event: OutgoingEvent, known: string | undefined): Cells {
  switch (event.event) {
    case 'outgoingClosed': {
      const end = event.reason === undefined ? '' : `; ${event.reason}`
      return { caller: known ?? '?', status: 'end', ms: '-', what: `${passed(event)}${end}` }
    }
    case 'outgoingUndelivered':
      return {
        caller: `> ${shownEndpoint(event.to)}`,
        ...{ status: event.errno, ms: '-', what: 'a datagram did not arrive' },
      }
    case 'lookedUp':
      return lookupCells(event)
    default:
      return { caller: `> ${shownEndpoint(event.to)}`, ...stateOf(event), what: destinationText(event) }
  }
}

type Chosen = OutgoingEvent & { event: 'outgoingOpened' | 'outgoingFailed' | 'outgoingStayed' }

function stateOf(event: Chosen): Pick<Cells, 'status' | 'ms'> {
  if (event.event === 'outgoingStayed') return { status: 'stayed', ms: '-' }
  if (event.event === 'outgoingOpened') return { status: 'open', ms: '-' }
  return { status: event.errno ?? 'given up', ms: event.afterMs.toFixed(1) }
}

function destinationText({ event, protocol, name, rule }: Chosen): string {
  const what = protocol === 'udp' ? 'datagrams ' : ''
  const where = event === 'outgoingStayed' ? 'from this machine' : 'by the pod'
  return `${name === undefined ? '' : `${name}; `}${what}${where}: ${rule}`
}

function lookupCells(event: LookedUp): Cells {
  const { code, reason = '-', durationMs, type, name, where, file, nameserver, rule } = event
  const place = where === 'pod' ? 'by the pod' : file === undefined ? 'by this machine' : `by ${file} here`
  return {
    caller: `> ${shownEndpoint(nameserver)}`,
    status: code ?? reason,
    ms: durationMs.toFixed(1),
    what: `${type} ${name}; ${answerText(event)}; ${place}: ${rule}`,
  }
}

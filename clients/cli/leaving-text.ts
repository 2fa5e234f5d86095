// Parts of what is said of a connection, a flow of datagrams or a question of a name, for sentences and for rows. Pure.
import { isUnixName } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import type { LookedUp, OutgoingEvent } from '../../protocol/rpc/outgoing-events.ts'
import { printable } from './table.ts'

export function shownEndpoint({ address, port }: Endpoint): string {
  if (isUnixName(address)) return printable(address)
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** What went each way. */
export function passed({ sent, received, datagrams }: OutgoingEvent & { event: 'outgoingClosed' }): string {
  if (datagrams === undefined) return `${counted(sent, 'byte')} sent, ${received} received`
  return [
    `${counted(datagrams.sent, 'datagram')} (${counted(sent, 'byte')}) sent`,
    `${datagrams.received} (${counted(received, 'byte')}) received`,
    ...(datagrams.undelivered > 0 ? [`${datagrams.undelivered} undelivered`] : []),
    ...(datagrams.lost > 0 ? [`${datagrams.lost} lost on this machine`] : []),
  ].join(', ')
}

/** What a question got: addresses, or how many other records, or the code that says why there are none. */
export function answerText({ code, type, addresses, records }: LookedUp): string {
  if (code === undefined) return 'no answer'
  if (addresses.length > 0) return addresses.join(' ')
  if (code !== 'NOERROR') return code
  if (type === 'A' || type === 'AAAA' || records === 0) return 'no such record'
  return counted(records, 'record')
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

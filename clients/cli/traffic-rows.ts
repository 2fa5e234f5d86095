// From traffic events to the rows of a live table: a request is one row, printed when its answer begins or can no longer come; what leaves begins with ">". Pure.
import type { OutgoingEvent } from '../../protocol/rpc/outgoing-events.ts'
import type { TrafficEvent } from '../../protocol/rpc/traffic.ts'
import { leavingCells } from './leaving-rows.ts'
import { shownEndpoint } from './leaving-text.ts'
import { cut, printable } from './table.ts'

type Request = TrafficEvent & { event: 'request' }
type Response = TrafficEvent & { event: 'response' }

export const trafficHeader = row('TIME', 'CALLER', 'STATUS', 'MS', 'REQUEST')
/** Requests without an answer that are remembered; beyond it the oldest is forgotten. */
const pendingLimit = 10_000

export type TrafficRows = {
  /** The rows that an event completes, mostly none or one. `columns` cuts them at the terminal's width. */
  rows(event: TrafficEvent, columns?: number): string[]
  counts(): { requests: number; open: number }
}

export function trafficRows(): TrafficRows {
  /** Who sends the requests of a connection, or whom the process asks. */
  const callers = new Map<string, string>()
  const pending = new Map<string, Request>()
  let requests = 0

  const answered = (event: Response): string[] => {
    const key = `${event.connection} ${event.exchange}`
    const request = pending.get(key)
    pending.delete(key)
    return rowsOf(request, callers.get(event.connection), event)
  }
  const closed = (connection: string): string[] => {
    const caller = callers.get(connection)
    callers.delete(connection)
    const left = [...pending].filter(([key]) => key.startsWith(`${connection} `))
    for (const [key] of left) pending.delete(key)
    return left.flatMap(([, request]) => rowsOf(request, caller, undefined))
  }
  const lines = (event: TrafficEvent): string[] => {
    if (event.event === 'opened') callers.set(event.connection, shownEndpoint(event.caller))
    if (event.event === 'outgoingOpened') callers.set(event.connection, `> ${shownEndpoint(event.to)}`)
    if (event.event === 'request') {
      requests++
      pending.set(`${event.connection} ${event.exchange}`, event)
      if (pending.size > pendingLimit) pending.delete(pending.keys().next().value!)
    }
    if (event.event === 'response' && event.side !== 'process' && event.status >= 200) return answered(event)
    if (event.event === 'closed' && event.side === 'pod') return closed(event.connection)
    if (event.event === 'outgoingClosed') {
      const caller = callers.get(event.connection)
      return [...closed(event.connection), ...leavingRows(event, caller)]
    }
    return isLeaving(event) ? leavingRows(event, undefined) : []
  }
  return {
    rows: (event, columns) => lines(event).map(line => cut(line, columns)),
    counts: () => ({ requests, open: callers.size }),
  }
}

function rowsOf(
  request: Request | undefined,
  caller: string | undefined,
  response: Response | undefined,
): string[] {
  const at = new Date(request?.at ?? response?.at ?? 0)
  const status = response === undefined ? '-' : String(response.status)
  const first = response === undefined ? '-' : response.firstByteMs.toFixed(1)
  const what = request === undefined ? '?' : `${request.method} ${request.path}`
  const head = row(clock(at), caller ?? '?', status, first, printable(what))
  return [head, ...bodyLines('>', request?.body), ...bodyLines('<', response?.body)]
}

const isLeaving = (event: TrafficEvent): event is OutgoingEvent =>
  event.event === 'lookedUp' || event.event.startsWith('outgoing')

function leavingRows(event: OutgoingEvent, known: string | undefined): string[] {
  const { caller, status, ms, what } = leavingCells(event, known)
  return [row(clock(new Date(event.at)), caller, status, ms, printable(what))]
}

function bodyLines(mark: string, body: Request['body']): string[] {
  if (body === undefined) return []
  const text =
    body.encoding === 'utf8' ? body.data : `(${body.data.length} characters of base64) ${body.data}`
  const lines = text
    .replace(/\r?\n$/, '')
    .split('\n')
    .map(line => `  ${mark} ${printable(line)}`)
  return body.truncated ? [...lines, `  ${mark} …`] : lines
}

function row(time: string, caller: string, status: string, ms: string, request: string): string {
  return `${time.padEnd(12)}  ${caller.padEnd(21)}  ${status.padStart(6)}  ${ms.padStart(7)}  ${request}`
}

function clock(at: Date): string {
  const part = (value: number, width = 2) => String(value).padStart(width, '0')
  return `${part(at.getHours())}:${part(at.getMinutes())}:${part(at.getSeconds())}.${part(at.getMilliseconds(), 3)}`
}

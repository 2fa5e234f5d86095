// The live view of what arrives at the pod and at the process, and of what leaves the process: connections, bytes, HTTP/1.1 requests and responses.
import * as t from 'io-ts'
import { count, endpoint, object, oneOf, port } from '../codec.ts'
import { tagged } from '../tagged.ts'
import { notification, request } from './message.ts'
import { outgoingEvent } from './outgoing-events.ts'
import { encoding } from './processes.ts'
import { sessionId } from './sessions.ts'

export const trafficId = t.string
/** Of each body that a view shows. */
export const maxBodyBytes = 65_536
const side = oneOf('pod', 'process')
const answerer = oneOf('pod', 'process', 'service')
const body = object('Body', {
  encoding: [encoding, 'of data'],
  data: [t.string, 'the first bytes of the body, as they were sent (chunk framing removed)'],
  truncated: [t.boolean, 'whether the body was longer than what was asked for, or than what was captured'],
})
const headers = t.array(t.tuple([t.string, t.string]))
const at = [t.number, 'milliseconds since the Unix epoch, with a fraction'] as const
const connection = [t.string, 'id of the connection, unique in the session'] as const

export const trafficEvent = tagged('event', [
  object('ConnectionOpened', {
    event: [oneOf('opened'), 'a caller connected'],
    at,
    connection,
    caller: [endpoint, 'who connected'],
    pod: [endpoint, "the pod's end"],
    joined: [t.boolean, 'true when the connection was open before the session'],
  }),
  object(
    'ConnectionClosed',
    {
      event: [oneOf('closed'), 'the connection ended on that side'],
      at,
      connection,
      side: [side, "the pod's connection, or the copy to the process"],
      received: [count, 'bytes from the caller'],
      sent: [count, 'bytes answered'],
    },
    { reason: [t.string, 'why, when it was not an ordinary end'] },
  ),
  object(
    'HttpRequest',
    {
      event: [oneOf('request'), 'the head of a request, and its body when asked for'],
      at,
      connection,
      exchange: [count, 'number of the request on its connection, from 1'],
      method: [t.string, 'HTTP method'],
      path: [t.string, 'request target as sent'],
      version: [t.string, 'as in "1.1"'],
      headers: [headers, 'in order, as sent'],
    },
    { body: [body, 'present when bodies were asked for and there is one'] },
  ),
  object(
    'HttpResponse',
    {
      event: [oneOf('response'), 'the head of a response, and its body when asked for'],
      at,
      connection,
      side: [answerer, 'who answered; service: whom the process asks'],
      exchange: [count, 'number of the request that it answers'],
      status: [count, 'status code'],
      reason: [t.string, 'reason phrase'],
      version: [t.string, 'as in "1.1"'],
      headers: [headers, 'in order, as sent'],
      firstByteMs: [t.number, 'from the first byte of the request to the first of the response'],
    },
    {
      durationMs: [
        t.number,
        'from the first byte of the request to the last of the response, when its end was seen',
      ],
      body: [body, 'present when bodies were asked for and there is one'],
    },
  ),
  ...outgoingEvent.types,
])
export type TrafficEvent = t.TypeOf<typeof trafficEvent>

export const streamTraffic = request({
  method: 'streamTraffic',
  direction: 'clientToServer',
  summary:
    'Begins a live view. Events are sent as traffic/events only as far as the client has granted credit.',
  errors: ['session-not-found', 'session-not-running', 'nothing-arrives'],
  params: object(
    'StreamTrafficParams',
    { sessionId: [sessionId, 'the session'], credit: [count, 'events that may be sent at first, 0 or more'] },
    {
      ports: [
        t.array(port),
        'of what arrives only these ports of the pod; default: all that it listens on. Without directions nothing that leaves is shown then',
      ],
      directions: [
        t.array(oneOf('incoming', 'outgoing')),
        'incoming: what callers of the pod send; outgoing: what processes of the session connect to, send to and look up; default: both',
      ],
      bodyBytes: [
        count,
        "bytes of each body to show, 0 (default) to 65536; capturing the pod's own bodies costs the pod a copy of each byte",
      ],
    },
  ),
  result: object('StreamTrafficResult', { trafficId: [trafficId, 'names the view in the other messages'] }),
  example: { params: { sessionId: 's1', credit: 100 }, result: { trafficId: 'v1' } },
})

export const trafficEvents = notification({
  method: 'traffic/events',
  direction: 'serverToClient',
  summary:
    'A batch of events, and how many were dropped since the last batch because the client had granted no credit for them.',
  params: object('TrafficEventsParams', {
    trafficId: [trafficId, 'the view'],
    events: [t.array(trafficEvent), 'in order'],
    dropped: [count, 'events lost before this batch'],
  }),
  example: {
    params: {
      trafficId: 'v1',
      dropped: 0,
      events: [
        {
          event: 'request',
          at: 1767225600000.5,
          connection: 'c1',
          exchange: 1,
          method: 'GET',
          path: '/cart',
          version: '1.1',
          headers: [['Host', 'shop']],
        },
      ],
    },
  },
})

export const creditTraffic = request({
  method: 'creditTraffic',
  direction: 'clientToServer',
  summary: 'Allows so many more events to be sent.',
  errors: ['traffic-not-found'],
  params: object('CreditTrafficParams', {
    trafficId: [trafficId, 'the view'],
    credit: [count, 'more events, 1 or more'],
  }),
  result: t.null,
  example: { params: { trafficId: 'v1', credit: 100 }, result: null },
})

export const stopTraffic = request({
  method: 'stopTraffic',
  direction: 'clientToServer',
  summary: 'Ends a live view.',
  errors: ['traffic-not-found'],
  params: object('StopTrafficParams', { trafficId: [trafficId, 'the view'] }),
  result: object('StopTrafficResult', { dropped: [count, 'events lost since the last batch'] }),
  example: { params: { trafficId: 'v1' }, result: { dropped: 0 } },
})

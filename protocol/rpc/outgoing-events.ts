// What the live view shows of what leaves a process: its connections, flows of datagrams, and questions of names.
import * as t from 'io-ts'
import { count, endpoint, object, oneOf } from '../codec.ts'
import { tagged } from '../tagged.ts'

const at = [t.number, 'milliseconds since the Unix epoch, with a fraction'] as const
const connection = [t.string, 'id of the connection or flow, unique in the session'] as const
const protocol = [
  oneOf('tcp', 'udp', 'unix'),
  'udp: a flow, the datagrams between a socket of the process and one peer; unix: a stream to a Unix socket',
] as const
const destination = [
  endpoint,
  'where the process connects or sends to; of a Unix socket the address is its path, or @NAME, and the port 0',
] as const
const rule = [t.string, 'what decided that, the end of a sentence'] as const
const name = [t.string, 'name that was last looked up and resolved to that address'] as const

export const outgoingEvent = tagged('event', [
  object(
    'OutgoingOpened',
    {
      event: [
        oneOf('outgoingOpened'),
        'a connection of the process stands, and leaves from the pod; or a flow has its first datagram',
      ],
      at,
      connection,
      protocol,
      to: destination,
      rule,
      joined: [
        t.boolean,
        'true when it was there before the view; requests and responses of a connection are not shown then',
      ],
    },
    {
      local: [
        endpoint,
        "the pod's end; of a Unix socket it has no address, and of a flow it is known when the process's socket is connected",
      ],
      name,
    },
  ),
  object(
    'OutgoingFailed',
    {
      event: [
        oneOf('outgoingFailed'),
        'a connection that was to leave from the pod did not come about, or a datagram has no way there',
      ],
      at,
      connection,
      protocol,
      to: destination,
      rule,
      afterMs: [t.number, 'since the process asked for it'],
    },
    {
      name,
      errno: [t.string, 'what its call gave, such as ECONNREFUSED; missing when the process gave it up'],
    },
  ),
  object('OutgoingUndelivered', {
    event: [
      oneOf('outgoingUndelivered'),
      'the network says of a datagram of a flow that it did not arrive; told once for each errno, and the flow goes on',
    ],
    at,
    connection,
    to: destination,
    errno: [t.string, 'what it says, such as ECONNREFUSED'],
  }),
  object(
    'OutgoingClosed',
    {
      event: [
        oneOf('outgoingClosed'),
        'a connection that left from the pod is over; or the socket of a flow is, which is noticed within 4 s',
      ],
      at,
      connection,
      sent: [count, 'bytes from the process'],
      received: [count, 'bytes to the process'],
    },
    {
      reason: [t.string, 'why, when it was not an ordinary end'],
      datagrams: [
        object('DatagramCounts', {
          sent: [count, 'from the process'],
          received: [count, 'to the process'],
          undelivered: [count, 'of which the network said that they did not arrive'],
          lost: [
            count,
            'dropped by standin on this machine: they came faster than the link took them, or while there was no agent',
          ],
        }),
        'of a flow: how many',
      ],
    },
  ),
  object(
    'OutgoingStayed',
    {
      event: [
        oneOf('outgoingStayed'),
        'the process connects to this address from this machine, or sends datagrams there, which is told once for each address while somebody looks',
      ],
      at,
      protocol,
      to: destination,
      rule,
    },
    { name },
  ),
  object(
    'LookedUp',
    {
      event: [
        oneOf('lookedUp'),
        'a question that a process asked a nameserver of the pod is over; what it reads in a hosts file by itself is none',
      ],
      at,
      name: [t.string, 'name that was asked for, whole'],
      type: [t.string, 'type of the records, such as "A", "AAAA" or "SRV"'],
      where: [oneOf('pod', 'here'), 'who was to answer: the nameserver from the pod, or this machine'],
      rule,
      nameserver: [endpoint, 'whom the process asked'],
      protocol: [oneOf('tcp', 'udp'), 'by what it asked'],
      addresses: [t.array(t.string), 'addresses of the answer'],
      records: [count, 'records of the answer, addresses and aliases included'],
      durationMs: [t.number, 'since the question came'],
    },
    {
      code: [
        t.string,
        'of the answer: "NOERROR", "NXDOMAIN" (no such name), "SERVFAIL"...; missing without one',
      ],
      reason: [
        t.string,
        'why there is no answer, such as ETIMEDOUT; missing also when the process did not wait for one',
      ],
      file: [t.string, 'file of this machine that had the answer'],
    },
  ),
])
export type OutgoingEvent = t.TypeOf<typeof outgoingEvent>
export type LookedUp = OutgoingEvent & { event: 'lookedUp' }

// What server and supervisor say of UDP sockets whose datagrams leave from the pod; part of the messages of protocol/hook/messages.ts.
//
// An outlet is a UDP socket of the server on loopback that stands for one peer of one socket of a process: what the process sends there goes to that
// peer from the pod, and what the pod hears of that peer comes from there. It is connected to the process's socket, so that nobody else reaches it.
import * as t from 'io-ts'
import { count, endpoint, object, oneOf } from '../codec.ts'

const type = <const T extends string>(name: T, summary: string) => [oneOf(name), summary] as const
const socket = [t.string, 'the socket, and which of its lives: it ends with connect and disconnect'] as const

export const outlet = object('Outlet', {
  to: [endpoint, 'the peer'],
  at: [endpoint, 'loopback address and port that stand for it'],
})
export type Outlet = t.TypeOf<typeof outlet>

export const hookOutlets = object('HookOutlets', {
  type: type(
    'outlets',
    'a process sends to peers that are the pod’s, or connects to one; answered with `outlets`',
  ),
  request: [count, 'id, repeated in the answer'],
  socket: [...socket],
  from: [endpoint, 'where its socket is reached over loopback'],
  to: [t.array(endpoint), 'the peers; one when it connects'],
  rules: [t.array(t.string), "why each of them is the pod's, the end of a sentence"],
  connects: [t.boolean, 'whether it connects: it hears that peer alone then'],
})
export const hookOutletKnown = object('HookOutletKnown', {
  type: type('outletKnown', 'answers `outletAdded` and `outletRefused`'),
  announcement: [count, 'its id'],
})
export const hookDatagramsClosed = object('HookDatagramsClosed', {
  type: type('datagramsClosed', 'no process has that socket any more, or it has begun another life'),
  socket: [...socket],
})

export const hookOutletsAnswer = object(
  'HookOutletsAnswer',
  {
    type: type('outlets', 'answers `outlets`'),
    request: [count, 'its id'],
    outlets: [t.array(outlet), 'one for each peer; none with an errno'],
  },
  {
    local: [endpoint, "the pod's end, which a process that connects sees as its own"],
    errno: [t.string, 'why not, such as ENETUNREACH'],
  },
)
export const hookOutletAdded = object('HookOutletAdded', {
  type: type('outletAdded', 'a peer that the process never sent to will be heard from there'),
  announcement: [count, 'id, repeated in `outletKnown`'],
  socket: [...socket],
  outlet: [outlet, 'the peer'],
})
export const hookOutletRefused = object('HookOutletRefused', {
  type: type(
    'outletRefused',
    'the peer of a connected socket refused a datagram; its outlet is closed until `outletKnown`, so that the kernel can tell the process',
  ),
  announcement: [count, 'id, repeated in `outletKnown`'],
  socket: [...socket],
})

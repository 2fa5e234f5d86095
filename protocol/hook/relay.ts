// The relay: one process a server, on this machine's loopback, that makes the sockets by which the server completes connections which hooked
// processes have in progress; and meeting places for Unix sockets, which know no such state.
//
// It is started as `relay` with a channel of child_process. It says `quiet` first. `open` is answered with `socket`, together with a TCP socket that
// is bound to that quiet port: connected to where a process connects from, it is the other end of that connection. `meet` is answered with
// `meeting`: an abstract Unix socket, where `take` takes the connection of that supervisor and is answered with `socket`; whoever else connects is
// turned away. Of a socket that keeps message boundaries (`seqpacket`) it gives a stream of frames (sequenced/frame.ts), and carries them. A meeting
// place lasts for 10 s. It ends when the channel does.
import * as t from 'io-ts'
import { count, object, oneOf, port } from '../codec.ts'

/** Where supervisors connect sockets to that must stay in progress. */
export const quietPorts = object(
  'QuietPorts',
  { four: [port, 'port of 127.0.0.1'] },
  { six: [port, 'port of ::1; missing where this machine has no IPv6'] },
)
export type QuietPorts = t.TypeOf<typeof quietPorts>

export const toRelay = t.union([
  object('RelayOpen', {
    open: [count, 'id, repeated in the answer'],
    at: [oneOf('four', 'six'), 'which of the quiet ports'],
  }),
  object(
    'RelayMeet',
    {
      meet: [count, 'id, repeated in the answer'],
      supervisor: [count, 'pid of who is to come there'],
    },
    { seqpacket: [t.boolean, 'a socket that keeps message boundaries comes; default false'] },
  ),
  object('RelayTake', { take: [count, 'id of the meeting place, repeated in the answer'] }),
])
export type ToRelay = t.TypeOf<typeof toRelay>

export const fromRelay = t.union([
  object('RelayQuiet', { quiet: [quietPorts, 'ready'] }),
  object(
    'RelaySocket',
    { socket: [count, 'id'] },
    {
      errno: [
        t.string,
        'why there is none, such as EMFILE, or ECONNREFUSED: nobody came to the meeting place',
      ],
    },
  ),
  object(
    'RelayMeeting',
    { meeting: [count, 'id'] },
    {
      name: [t.string, 'of the abstract Unix socket, without the leading NUL'],
      errno: [t.string, 'why there is none'],
    },
  ),
  object('RelayFailed', { failed: [t.string, 'errno for which there is no quiet port; the relay ends'] }),
])
export type FromRelay = t.TypeOf<typeof fromRelay>

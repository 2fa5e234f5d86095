// The relay: one process a server, on this machine's loopback, that completes connections which hooked processes have in progress, and gives
// the server their other ends; and meeting places for Unix sockets, which know no such state.
//
// It is started as `relay` with a channel of child_process. It says `quiet` first; each `complete` is answered with `completed`, together with
// the socket when there is no errno. `meet` is answered with `meeting`: an abstract Unix socket, where `take` takes the connection of that supervisor and
// is answered as `complete`; whoever else connects is turned away. A meeting place lasts for 10 s. It ends when the channel does.
import * as t from 'io-ts'
import { count, endpoint, object, port } from '../codec.ts'

/** Where supervisors connect sockets to that must stay in progress. */
export const quietPorts = object(
  'QuietPorts',
  { four: [port, 'port of 127.0.0.1'] },
  { six: [port, 'port of ::1; missing where this machine has no IPv6'] },
)
export type QuietPorts = t.TypeOf<typeof quietPorts>

export const toRelay = t.union([
  object('RelayComplete', {
    complete: [count, 'id, repeated in the answer'],
    from: [endpoint, 'where the process connects from'],
  }),
  object('RelayMeet', {
    meet: [count, 'id, repeated in the answer'],
    supervisor: [count, 'pid of who is to come there'],
  }),
  object('RelayTake', { take: [count, 'id of the meeting place, repeated in the answer'] }),
])
export type ToRelay = t.TypeOf<typeof toRelay>

export const fromRelay = t.union([
  object('RelayQuiet', { quiet: [quietPorts, 'ready'] }),
  object(
    'RelayCompleted',
    { completed: [count, 'id'] },
    { errno: [t.string, 'why not, such as ECONNREFUSED: the process has given its socket up'] },
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

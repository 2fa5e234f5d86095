// What server and supervisor say of Unix sockets that connect to the pod's; part of the messages of protocol/hook/messages.ts.
//
// The supervisor holds the process's connect and says `unixConnect`. When the pod has connected, the server has a meeting place made by the relay
// (`unixMeet`), an abstract socket to which the supervisor connects the process's own socket (`known`); when that is joined with the pod's, the call
// ends (`established`). `refused` and `abandoned` are as for TCP.
import * as t from 'io-ts'
import { count, object, oneOf } from '../codec.ts'

const type = <const T extends string>(name: T, summary: string) => [oneOf(name), summary] as const
const connection = [t.string, '"unix", the cookie of the socket, and which of its connects'] as const

export const hookUnixConnect = object('HookUnixConnect', {
  type: type('unixConnect', 'a process connects to a Unix socket that is the pod’s, and waits'),
  connection: [...connection],
  path: [t.string, "an absolute path of the pod's, or the name of an abstract socket after @"],
  rule: [t.string, "why it is the pod's, the end of a sentence"],
  withinMs: [
    count,
    'how long a listener whose queue is full is waited for; 0 for a socket that does not block',
  ],
  supervisor: [count, 'pid of the supervisor, whose connection it will be'],
  seqpacket: [t.boolean, 'whether the socket keeps message boundaries (SOCK_SEQPACKET)'],
})

export const hookUnixMeet = object('HookUnixMeet', {
  type: type('unixMeet', 'the pod is connected; answered with `known`, or with `abandoned`'),
  connection: [...connection],
  name: [t.string, 'name of the abstract Unix socket to connect to, without the leading NUL'],
})

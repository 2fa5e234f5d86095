// What server and supervisor (the hook program) say to each other: newline-delimited JSON over an abstract Unix socket of the server.
//
// The supervisor is started as `hook [--] COMMAND...` with STANDIN_HOOK_SOCKET (name without the leading NUL), STANDIN_HOOK_TOKEN and
// STANDIN_HOOK_PROCESS in its environment, which it removes before it starts the command. It connects, says `hello`, warms up, says `warm`,
// and starts the command when `start` comes. If the socket ends before `start`, it exits 125 quietly; after `start`, it ends the command.
import * as t from 'io-ts'
import { count, endpoint, object, oneOf, port } from '../codec.ts'
import { tagged } from '../tagged.ts'
import {
  hookDatagramsClosed,
  hookOutletAdded,
  hookOutletKnown,
  hookOutletRefused,
  hookOutlets,
  hookOutletsAnswer,
} from './datagrams.ts'
import { filterRules, learned } from './filter.ts'
import { quietPorts } from './relay.ts'
import { hookUnixConnect, hookUnixMeet } from './unix.ts'

const type = <const T extends string>(name: T, summary: string) => [oneOf(name), summary] as const

/** A kind of failure with the values of its text, to be made a Failure again. */
export const hookFailure = object(
  'HookFailure',
  {
    kind: [t.string, 'a kind of protocol/errors.ts'],
    values: [t.record(t.string, t.union([t.string, t.number])), 'values of its text'],
  },
  { detail: [t.string, 'what helps to find the cause'] },
)

/** What becomes of connections that a process makes. */
export const outgoingRules = object(
  'OutgoingRules',
  {
    tcp: [t.boolean, 'whether TCP connections leave from the pod'],
    ignoreLocalhost: [t.boolean, 'whether connections to loopback addresses all stay on this machine'],
  },
  {
    udp: [t.boolean, 'whether UDP datagrams leave from the pod; default false'],
    watched: [t.boolean, 'whether somebody looks at those that stay here too: `stayed` tells of each'],
    unix: [
      t.array(t.string),
      'regular expressions: a stream to a Unix socket whose path, or @NAME, matches one leaves from the pod',
    ],
    filter: [filterRules, 'which of them do; default: all that are not to this machine'],
    quiet: [
      quietPorts,
      "the relay's; without them what belongs to the pod is refused with ENETUNREACH, and never made from this machine",
    ],
  },
)
export type OutgoingRules = t.TypeOf<typeof outgoingRules>

/** What a process knows of names: what it reads in the few files that resolvers need, whom it asks, and what it is called itself. */
export const podNames = object(
  'PodNames',
  {
    files: [
      t.record(t.string, t.string),
      "text of the files that a process gets in place of this machine's, by absolute path; they cannot be written",
    ],
    nameservers: [
      t.array(t.string),
      "IP addresses of the pod's nameservers: a connection to port 53 of one is always the pod's, loopback addresses included",
    ],
    refusedSockets: [
      t.array(t.string),
      "paths of Unix sockets whose daemons would answer in the pod's place: nobody listens there for a process",
    ],
  },
  { hostname: [t.string, "the pod's, which uname(2) shows"] },
)
export type PodNames = t.TypeOf<typeof podNames>

const connection = [t.string, 'cookie of the socket'] as const

export const fromSupervisor = tagged('type', [
  object('HookHello', {
    type: type('hello', 'first message'),
    token: [t.string, 'STANDIN_HOOK_TOKEN'],
    process: [t.string, 'STANDIN_HOOK_PROCESS: the processId of the editor protocol'],
    pid: [count, 'of the supervisor'],
  }),
  object('HookWarm', { type: type('warm', 'ready to start the command at once') }),
  object('HookStarted', { type: type('started', 'the command runs'), pid: [count, 'of the command'] }),
  object('HookFailed', {
    type: type('failed', 'the command could not be started; the supervisor ends'),
    failure: [hookFailure, 'why'],
  }),
  object('HookListening', {
    type: type('listening', 'a process listens on a port that is wanted'),
    listener: [t.string, 'cookie of the socket'],
    asked: [
      endpoint,
      'what the process believes to be bound to; its port is the process port of port_mapping',
    ],
    actual: [endpoint, 'where it is really bound'],
  }),
  object('HookClosed', {
    type: type(
      'closed',
      'nothing may be delivered to this listener any more: no hooked process has it, or a program outside of the session shares its port; `listening` comes again when that is over',
    ),
    listener: [t.string, 'cookie of the socket'],
  }),
  object('HookAnnounced', {
    type: type('announced', 'the announcement is in force: connect now'),
    announcement: [count, 'its id'],
  }),
  object('HookReached', {
    type: type('reached', 'answers `connected`'),
    announcement: [count, 'its id'],
    hooked: [t.boolean, 'whether a hooked process, and nobody else, can have that connection'],
  }),
  object('HookConnect', {
    type: type(
      'connect',
      'a process connects to what is the pod’s; its socket is in progress to the quiet port',
    ),
    connection: [...connection],
    to: [endpoint, 'where it wants to connect'],
    rule: [t.string, "why it is the pod's, the end of a sentence"],
    from: [endpoint, 'the loopback address and port that its socket has'],
    waits: [
      t.boolean,
      'whether its call waits for `established`: there is no `dialled` then, since nobody asks before',
    ],
  }),
  object('HookStayed', {
    type: type(
      'stayed',
      'a process connects to what is on this machine, or sends datagrams there, which is told once for each address; told while `watched` is true',
    ),
    protocol: [oneOf('tcp', 'udp', 'unix'), 'by what; unix: to a Unix socket, whose name is the address'],
    to: [endpoint, 'where it wants to connect, or sends to'],
    rule: [t.string, 'why it is left alone, the end of a sentence'],
  }),
  object('HookKnown', {
    type: type(
      'known',
      'answers `dialled`: the process sees the address from here on; and `unixMeet`: its socket is connected there',
    ),
    connection: [...connection],
  }),
  object('HookAbandoned', {
    type: type('abandoned', 'no process has that socket any more, or it is in progress no longer'),
    connection: [...connection],
  }),
  hookUnixConnect,
  hookOutlets,
  hookOutletKnown,
  hookDatagramsClosed,
  object('HookSignalled', {
    type: type('signalled', 'the oldest `signal` that was not confirmed yet has been given to the command'),
  }),
  object('HookLearned', {
    type: type('learned', 'answers `learn`: in force from here on'),
    learning: [count, 'its id'],
  }),
  object('HookNotice', {
    type: type('notice', 'something for the user'),
    level: [oneOf('info', 'warning'), 'how grave'],
    code: [
      t.string,
      'stable name of the notice, such as "port-substituted"; each is sent once for the same text',
    ],
    text: [t.string, 'one sentence'],
  }),
  object(
    'HookExit',
    { type: type('exit', 'the command has ended; other hooked processes may still run') },
    {
      code: [count, 'exit code'],
      signal: [t.string, 'name of the signal that ended it'],
    },
  ),
  object('HookDone', { type: type('done', 'the last hooked process is gone; the supervisor ends') }),
])
export type FromSupervisor = t.TypeOf<typeof fromSupervisor>

export const toSupervisor = tagged('type', [
  object(
    'HookStart',
    {
      type: type('start', 'start the command'),
      environment: [
        t.record(t.string, t.union([t.string, t.null])),
        "to set, or remove with null, on top of the supervisor's own",
      ],
      addresses: [t.array(t.string), "the pod's own addresses"],
      ports: [
        t.array(port),
        'process ports that are wanted: those that the pod listens on (mapped) and those that the configuration names',
      ],
      guard: [t.string, "name of the guard's abstract Unix socket, without the leading NUL"],
      guardToken: [t.string, 'secret to show to the guard'],
    },
    {
      outgoing: [
        outgoingRules,
        'what becomes of connections that the process makes; default: all are left alone',
      ],
      names: [podNames, "the pod's names; default: this machine's"],
      command: [
        t.array(t.string),
        "program and arguments; default: those of the supervisor's own command line",
      ],
      cwd: [t.string, "working folder; default: the supervisor's"],
    },
  ),
  object('HookOutgoing', {
    type: type('outgoing', 'the rules have changed: another relay has taken the place of the one before'),
    rules: [outgoingRules, 'all of them'],
  }),
  object('HookNames', {
    type: type('names', 'another pod has taken the place of the one before'),
    names: [podNames, 'all of them'],
    addresses: [t.array(t.string), "the pod's own addresses"],
  }),
  object('HookLearn', {
    type: type('learn', 'a name of the filter has resolved'),
    learning: [count, 'id, repeated in `learned`'],
    learned: [learned, 'to which addresses'],
  }),
  object('HookPorts', {
    type: type('ports', 'the wanted ports have changed'),
    ports: [t.array(port), 'all of them'],
  }),
  object('HookAnnounce', {
    type: type('announce', 'a connection from this source will reach a listener: show the caller instead'),
    announcement: [count, 'id, repeated in `announced`'],
    source: [endpoint, 'loopback address and port that the server will connect from'],
    caller: [endpoint, 'what accept and getpeername show'],
    pod: [endpoint, 'what getsockname shows'],
  }),
  object('HookGuard', {
    type: type('guard', 'the guard has died and another one has taken its place: register with that'),
    guard: [t.string, "name of the guard's abstract Unix socket, without the leading NUL"],
    guardToken: [t.string, 'secret to show to the guard'],
  }),
  object('HookConnected', {
    type: type(
      'connected',
      'the announced connection stands: is it one of a hooked process? Nothing is sent on it before the answer',
    ),
    announcement: [count, 'its id'],
    to: [endpoint, 'where the server has connected to'],
  }),
  object('HookRetract', {
    type: type(
      'retract',
      'the announced connection did not come about, or the server has closed its side of it',
    ),
    announcement: [count, 'its id'],
  }),
  object('HookDialled', {
    type: type('dialled', 'the pod is connected'),
    connection: [...connection],
    local: [endpoint, "the pod's end of it, which the process sees as its own"],
  }),
  object(
    'HookEstablished',
    {
      type: type('established', "the process's connection stands"),
      connection: [...connection],
    },
    { local: [endpoint, 'what `dialled` would tell, of a call that waits'] },
  ),
  object('HookRefused', {
    type: type('refused', 'the pod could not connect'),
    connection: [...connection],
    errno: [t.string, 'what its connect gave, such as EHOSTUNREACH'],
  }),
  hookUnixMeet,
  hookOutletsAnswer,
  hookOutletAdded,
  hookOutletRefused,
  object('HookSignal', { type: type('signal', 'send the command a signal'), signal: [t.string, 'its name'] }),
  object('HookEnd', {
    type: type('end', 'end everything that is hooked: SIGTERM, and SIGKILL after killAfterMs'),
    killAfterMs: [count, 'milliseconds'],
  }),
])
export type ToSupervisor = t.TypeOf<typeof toSupervisor>

export const hookSocketVariable = 'STANDIN_HOOK_SOCKET'
export const hookTokenVariable = 'STANDIN_HOOK_TOKEN'
export const hookProcessVariable = 'STANDIN_HOOK_PROCESS'

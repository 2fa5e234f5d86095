// What server and agent say in control and open frames: requests with ids, answers, events, and the opening of a captured stream.
import * as t from 'io-ts'
import { count, endpoint, object, oneOf, port } from '../codec.ts'
import { target } from '../rpc/targets.ts'
import { tagged } from '../tagged.ts'

/** What an agent knows of the target that it has entered. */
export const targetFacts = object(
  'TargetFacts',
  {
    target: [target, 'the target, resolved'],
    hostname: [t.string, "host name in the target's UTS namespace"],
    addresses: [t.array(t.string), 'its IP addresses, loopback excluded'],
    ports: [t.array(port), "TCP ports that the target's own processes listen on"],
    environment: [t.record(t.string, t.string), 'environment of its first process'],
    nameFiles: [
      object(
        'NameFiles',
        { notices: [t.array(t.string), 'why one is not there, or not whole'] },
        {
          resolvConf: [t.string, 'its /etc/resolv.conf'],
          hosts: [t.string, 'its /etc/hosts'],
        },
      ),
      'files by which its processes find names',
    ],
    ownNetwork: [
      t.boolean,
      "whether its network namespace differs from the agent's first one, or the agent runs in its pod",
    ],
  },
  {
    sidecar: [
      t.string,
      'mesh sidecar in its network namespace: istio or linkerd; capture is then on loopback alone',
    ],
  },
)
export type TargetFacts = t.TypeOf<typeof targetFacts>

/** How much of the pod's own answers is captured: nothing, the first 2 KiB of each packet, or all (costs the pod a copy of each byte). */
export const answersMode = oneOf('none', 'heads', 'all')

export const agentRequest = tagged('ask', [
  object('DescribeRequest', {
    id: [count, 'id of the request'],
    ask: [oneOf('describe'), 'answered with TargetFacts'],
  }),
  object('SubscribeRequest', {
    id: [count, 'id of the request'],
    ask: [
      oneOf('subscribe'),
      'replaces what is captured; connections of ports that stay are not disturbed; answered with {}',
    ],
    ports: [t.array(port), 'ports of the pod; none ends the capture'],
    answers: [answersMode, "how much of the pod's answers"],
  }),
  object('EndRequest', {
    id: [count, 'id of the request'],
    ask: [
      oneOf('end'),
      'the agent ends at once, without an answer; an ephemeral container cannot be ended from outside',
    ],
  }),
  object('CountersRequest', {
    id: [count, 'id of the request'],
    ask: [oneOf('counters'), 'answered with CaptureCounters'],
  }),
])
export type AgentRequest = t.TypeOf<typeof agentRequest>

export const captureCounters = object('CaptureCounters', {
  packets: [count, 'packets read from the ring'],
  bytes: [count, 'bytes of TCP payload read'],
  ringDrops: [count, 'packets that the kernel dropped because the ring was full'],
  connections: [count, 'connections that were mirrored'],
  gaps: [count, 'connections that ended because of a gap'],
  slow: [count, 'streams that were given up because their reader was too slow'],
  unopened: [count, 'connections that were not mirrored because the agent or the link could not keep up'],
})
export type CaptureCounters = t.TypeOf<typeof captureCounters>

/** An answer: exactly one of `value` and `failure`. */
export const agentAnswer = object(
  'AgentAnswer',
  { id: [count, 'id of the request'] },
  {
    value: [t.UnknownRecord, 'shape by the request'],
    failure: [
      object(
        'AgentFailure',
        {
          kind: [t.string, 'a kind of protocol/errors.ts'],
          values: [t.record(t.string, t.union([t.string, t.number])), 'values of its text'],
        },
        { detail: [t.string, 'what helps to find the cause'] },
      ),
      'why not',
    ],
  },
)
export type AgentAnswer = t.TypeOf<typeof agentAnswer>

export const agentEvent = tagged('event', [
  object('PortsEvent', {
    event: [oneOf('ports'), 'the target listens on other ports'],
    ports: [t.array(port), 'all that it listens on'],
  }),
  object('CountersEvent', {
    event: [oneOf('counters'), 'more was lost; told at most once a second'],
    counters: [captureCounters, 'the totals of this agent'],
  }),
  object('DialledEvent', {
    event: [oneOf('dialled'), 'the pod is connected; what its peer says comes on the stream'],
    stream: [count, 'id of the stream whose opening asked for it'],
    local: [endpoint, "the pod's end of the connection, with port 0 and no address if it is a Unix socket"],
  }),
  object('DialFailedEvent', {
    event: [oneOf('dialFailed'), 'the pod could not connect'],
    stream: [count, 'id of the stream whose opening asked for it'],
    errno: [
      t.string,
      'what connect(2) gave there, such as EHOSTUNREACH; ENOTFOUND or EAI_AGAIN when a name led to no address',
    ],
  }),
  object('TargetEndedEvent', { event: [oneOf('targetEnded'), "the target's first process has ended"] }),
  object('NoticeEvent', {
    event: [oneOf('notice'), 'something for the user or the log'],
    level: [oneOf('info', 'warning'), 'how grave'],
    text: [t.string, 'one sentence'],
  }),
])
export type AgentEvent = t.TypeOf<typeof agentEvent>

/**
 * Payload of an `open` frame from the agent. A connection is two streams, one a direction: `received` (caller to pod) and, if answers
 * are captured, `sent` (pod to caller). Each carries timed data, ends with `end` (FIN) or with `reset` (RST, gap, slow reader...).
 */
export const opened = object('Opened', {
  connection: [t.string, 'id of the connection, unique for the agent'],
  direction: [oneOf('received', 'sent'), 'which half'],
  caller: [endpoint, 'who connected'],
  pod: [endpoint, "the pod's end"],
  at: [t.number, 'time of the SYN, or of joining, in milliseconds since the Unix epoch'],
  joined: [t.boolean, 'true when the connection was open before, and begins at an HTTP/1 request line'],
})
export type Opened = t.TypeOf<typeof opened>

/**
 * Payload of an `open` frame from the server: a UDP socket of the pod, as long as the stream lives, with datagrams as protocol/link/datagrams.ts draws
 * them. With `to` it is connected: answered with `dialled` or `dialFailed`, it hears that peer alone, and errors of the network come back. Without
 * it is not answered, sends to anyone and hears anyone. The agent ends the stream of a socket that was idle for long.
 */
export const dialUdp = object(
  'DialUdp',
  { dial: [oneOf('udp'), 'the transport'] },
  { to: [endpoint, 'the one peer; with port 0 only the route is asked for'] },
)

/**
 * Payload of an `open` frame from the server: a connection that is to leave from the pod. Answered with `dialled` or `dialFailed`; one of `names`
 * is not answered, and carries questions to a nameserver (protocol/names/messages.ts).
 */
export const dialConnection = object(
  'Dial',
  {
    dial: [oneOf('tcp', 'names'), 'the transport'],
    to: [endpoint, 'IP address and port'],
  },
  { withinMs: [count, 'names: milliseconds after which a question has no answer; default 10,000'] },
)

/** What a forward or a Unix socket of a process leads to; its near end says nothing before the answer. */
export const dialFar = tagged('dial', [
  object('DialHost', {
    dial: [oneOf('host'), 'TCP to a host, which the agent looks up as the pod would'],
    host: [t.string, 'name or IP address'],
    port: [port, 'TCP port'],
  }),
  object(
    'DialUnix',
    {
      dial: [oneOf('unix'), 'a Unix socket'],
      path: [t.string, "path from the pod's root, or the name of an abstract one after @"],
    },
    {
      withinMs: [count, 'how long a listener whose queue is full is waited for; default 10,000'],
      seqpacket: [
        t.boolean,
        'one that keeps message boundaries (SOCK_SEQPACKET), whose messages are frames of sequenced/frame.ts on the stream; default false',
      ],
    },
  ),
])
export const dial = tagged('dial', [dialConnection, dialFar, dialUdp])
export type DialFar = t.TypeOf<typeof dialFar>
export type Dial = t.TypeOf<typeof dial>
export type DialUdp = t.TypeOf<typeof dialUdp>

export const reset = object('Reset', { reason: [t.string, 'why the stream ended, one phrase'] })

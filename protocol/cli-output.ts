// What `--output json` of the terminal client prints, one JSON object a line; published as schemas/cli-output.json.
import * as t from 'io-ts'
import { count, object, oneOf, port } from './codec.ts'
import { explainConnect } from './rpc/explain.ts'
import { cleanCluster, listContexts, listNamespaces } from './rpc/kubernetes.ts'
import { outgoingEvent } from './rpc/outgoing-events.ts'
import { listeningAt, podEnd, portId } from './rpc/port-ends.ts'
import { sessionState } from './rpc/sessions.ts'
import { describeTarget, listTargets } from './rpc/targets.ts'
import { trafficEvent } from './rpc/traffic.ts'

const event = <const T extends string>(name: T, summary: string) => [oneOf(name), summary] as const

const error = object(
  'ReportedError',
  {
    code: [t.number, 'number of the error, never reused'],
    kind: [t.string, 'its stable name'],
    blame: [oneOf('user', 'cluster', 'standin'), 'where to look first'],
    retryable: [t.boolean, 'whether the same command may work later'],
    message: [t.string, 'one sentence'],
    fix: [t.string, 'what to do'],
  },
  { detail: [t.string, 'what helps to find the cause'] },
)

export const errorLine = object('ErrorLine', {
  event: event(
    'error',
    'it failed; for exec the exit code is 125, or 126 or 127 if the command could not be started, else 1',
  ),
  error: [error, 'why'],
})

export const noticeLine = object('NoticeLine', {
  event: event('notice', 'a sentence for the user'),
  level: [oneOf('error', 'warning', 'info', 'log'), 'how grave; log only with -v'],
  message: [t.string, 'the sentence'],
})

/** Told again with another message when the step waits; standard error, or for exec the descriptor of --output-fd. */
export const stepLine = object(
  'StepLine',
  {
    event: event('step', 'a step of attaching to the target'),
    message: [t.string, 'what happens at the moment, and why it waits'],
  },
  {
    step: [t.string, 'stable name of the step: resolve, job, schedule, pull, start, deliver, link, ready...'],
    elapsedMs: [count, 'milliseconds since the beginning'],
  },
)

/** A line of `standin exec --output json`, on standard error or the descriptor of --output-fd. */
export const execLine = t.union([
  stepLine,
  object('ReadyLine', {
    event: event('ready', 'the session runs, the command starts'),
    sessionId: [t.string, 'id of the session'],
    target: [t.string, 'the target, resolved'],
    hostname: [t.string, 'host name of the pod'],
    addresses: [t.array(t.string), 'addresses of the pod'],
    ports: [t.array(port), 'TCP ports that the pod listens on'],
  }),
  object(
    'SessionLine',
    {
      event: event('session', 'the session changed its state'),
      sessionId: [t.string, 'id of the session'],
      state: [sessionState, 'where it stands'],
    },
    { reason: [t.string, 'why'], attempt: [count, 'number of the reconnection attempt'] },
  ),
  noticeLine,
  ...outgoingEvent.types,
  object(
    'ExitLine',
    {
      event: event('exit', 'the command has ended; the last line'),
      exitCode: [count, 'exit code of standin exec'],
    },
    { signal: [t.string, 'name of the signal that ended it'] },
  ),
  errorLine,
])
export type ExecLine = t.TypeOf<typeof execLine>

/** The one line of `standin ls --output json`; an error is an ErrorLine on standard error. */
export const listOutput = listTargets.result

/** The one line of `standin describe --output json`. */
export const describeOutput = describeTarget.result

/** The one line of `standin contexts --output json`. */
export const contextsOutput = listContexts.result

/** The one line of `standin namespaces --output json`. */
export const namespacesOutput = listNamespaces.result

/** The one line of `standin clean --output json`. */
export const cleanOutput = cleanCluster.result

/** The one line of `standin explain --output json`. */
export const explainOutput = explainConnect.result

/** A line of `standin traffic --output json`, on standard output; steps, errors and notices go to standard error. */
export const trafficLine = t.union([
  trafficEvent,
  object('DroppedLine', {
    event: event('dropped', 'events were lost here because the reader was too slow'),
    count: [count, 'how many'],
  }),
])
export type TrafficLine = t.TypeOf<typeof trafficLine>

/** A line of `standin forward --output json`, on standard output; steps, states of the session, errors and notices go to standard error. */
export const forwardLine = t.union([
  object('ForwardingLine', {
    event: event('forwarding', 'a port leads into the target'),
    portId: [portId, 'as the server names it'],
    local: [listeningAt, 'where it begins'],
    remote: [podEnd, 'where it leads'],
  }),
  object('MirroringLine', {
    event: event('mirroring', 'a port of the target is mirrored'),
    portId: [portId, 'as the server names it'],
    podPort: [port, 'port of the target'],
    localPort: [port, 'port of 127.0.0.1'],
  }),
])
export type ForwardLine = t.TypeOf<typeof forwardLine>

/** Every shape, by the name that it has in the published schema. */
export const cliOutput = {
  ExecLine: execLine,
  ListOutput: listOutput,
  DescribeOutput: describeOutput,
  ContextsOutput: contextsOutput,
  NamespacesOutput: namespacesOutput,
  CleanOutput: cleanOutput,
  ExplainOutput: explainOutput,
  TrafficLine: trafficLine,
  ForwardLine: forwardLine,
  ErrorLine: errorLine,
  NoticeLine: noticeLine,
  StepLine: stepLine,
} as const

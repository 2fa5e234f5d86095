// Sessions: attaching to a target, knowing how it stands, leaving.
import * as t from 'io-ts'
import { count, object, oneOf, port } from '../codec.ts'
import { sessionConfig } from '../config.ts'
import { clusterErrors } from './kubernetes.ts'
import { progressToken } from './lifecycle.ts'
import { notification, request } from './message.ts'
import { forwarded, reversed } from './port-ends.ts'
import { target } from './targets.ts'

export const sessionId = t.string
export const sessionState = oneOf('starting', 'running', 'reconnecting', 'stopped', 'failed')

const standing = {
  sessionId: [sessionId, 'its id'],
  target: [t.string, 'the target as it was asked for'],
  state: [sessionState, 'where it stands'],
  startedAt: [t.string, 'ISO 8601 time of startSession'],
  processes: [count, 'commands that run in it'],
} as const
const why = {
  reason: [t.string, 'why it reconnects, stopped or failed'],
  attempt: [count, 'number of the reconnection attempt'],
} as const
export const session = object('Session', standing, why)
const listedSession = object(
  'ListedSession',
  {
    ...standing,
    forwards: [t.array(forwarded), 'ports of this machine that lead to what its pod reaches, oldest first'],
    reverses: [t.array(reversed), 'ports of its pod that are mirrored to ports of this machine'],
  },
  why,
)
export type ListedSession = t.TypeOf<typeof listedSession>
export type Session = t.TypeOf<typeof session>

export const startSession = request({
  method: 'startSession',
  direction: 'clientToServer',
  summary: 'Attaches to a target. Progress names each step; cancelling at any step leaves nothing behind.',
  errors: [
    'target-missing',
    'target-invalid',
    'target-not-found',
    'target-ambiguous',
    'target-unreadable',
    'target-ended',
    'runtime-failed',
    'config-invalid',
    'config-unreadable',
    'agent-failed',
    'kernel-feature-missing',
    'right-missing',
    'link-version',
    'link-refused',
    'link-lost',
    'session-not-running',
    ...clusterErrors,
    'namespace-not-found',
    'target-kind-ambiguous',
    'selector-invalid',
    'container-not-found',
    'pod-not-ready',
    'pod-unsupported',
    'pod-ended',
    'agent-refused',
    'agent-not-scheduled',
    'agent-image-failed',
    'agent-crashed',
    'agent-slow',
    'agent-denied',
    'agent-undeliverable',
    'agent-removed',
  ],
  params: object(
    'StartSessionParams',
    {
      target: [t.string, 'as listTargets and describeTarget write it; "" takes the one of the configuration'],
    },
    {
      config: [sessionConfig, 'the configuration, in the vocabulary of .standin/standin.json'],
      configFile: [
        t.string,
        'path of a JSON configuration file; keys of "config" win. Without it, .standin/standin.json of "folder" is read if it is there',
      ],
      folder: [t.string, "the client's working folder, absolute; a relative kubeconfig starts there"],
      workDoneToken: [progressToken, 'report each step'],
    },
  ),
  result: object('StartSessionResult', {
    sessionId: [sessionId, 'id of the session, also sent with session/status while it starts'],
    target: [target, 'the target, resolved'],
    hostname: [t.string, 'host name of the pod'],
    addresses: [t.array(t.string), 'addresses of the pod'],
    ports: [t.array(port), 'TCP ports that the pod listens on'],
    environment: [
      object('Environment', {
        set: [t.record(t.string, t.string), 'variables to set'],
        unset: [t.array(t.string), 'variables to remove'],
      }),
      "what the process gets on top of the client's own environment",
    ],
    warnings: [t.array(t.string), 'what the user should know'],
  }),
  example: {
    params: {
      target: 'process/4711',
      config: { feature: { env: { exclude: 'AWS_*' } } },
      workDoneToken: 't1',
    },
    result: {
      sessionId: 's1',
      target: {
        target: 'process/4711',
        kind: 'process',
        name: 'node',
        ready: true,
        ports: [8080],
        pid: 4711,
      },
      hostname: 'shop',
      addresses: ['10.1.0.2'],
      ports: [8080],
      environment: { set: { SHOP_REGION: 'eu' }, unset: [] },
      warnings: [],
    },
  },
})

export const stopSession = request({
  method: 'stopSession',
  direction: 'clientToServer',
  summary:
    'Ends a session: its commands, its traffic streams and its agent. Stopping a stopped session is no error.',
  errors: ['session-not-found'],
  params: object('StopSessionParams', { sessionId: [sessionId, 'the session'] }),
  result: t.null,
  example: { params: { sessionId: 's1' }, result: null },
})

export const listSessions = request({
  method: 'listSessions',
  direction: 'clientToServer',
  summary: 'The sessions of this server, ended ones (the last 100) included.',
  params: t.union([object('Nothing', {}), t.null]),
  result: object('ListSessionsResult', { sessions: [t.array(listedSession), 'oldest first'] }),
  example: {
    params: {},
    result: {
      sessions: [
        {
          sessionId: 's1',
          target: 'process/4711',
          state: 'running',
          startedAt: '2026-01-01T00:00:00.000Z',
          processes: 1,
          forwards: [
            {
              portId: 's1-f1',
              local: { address: '127.0.0.1', port: 5432 },
              remote: { host: 'postgres', port: 5432 },
            },
          ],
          reverses: [{ portId: 's1-r1', podPort: 8080, localPort: 3000 }],
        },
      ],
    },
  },
})

export const sessionStatus = notification({
  method: 'session/status',
  direction: 'serverToClient',
  summary: 'A session changed its state.',
  params: session,
  example: {
    params: {
      sessionId: 's1',
      target: 'process/4711',
      state: 'reconnecting',
      startedAt: '2026-01-01T00:00:00.000Z',
      processes: 1,
      reason: 'the link closed',
      attempt: 1,
    },
  },
})

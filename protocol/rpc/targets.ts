// What can be stood in for: the list of targets and the description of one.
import * as t from 'io-ts'
import { count, endpoint, object, oneOf, port } from '../codec.ts'
import { progressToken } from './lifecycle.ts'
import { request } from './message.ts'

export const targetKind = oneOf('process', 'container')

export const target = object(
  'Target',
  {
    target: [t.string, 'what startSession takes: "process/PID" or "container/NAME"'],
    kind: [targetKind, 'kind of the target'],
    name: [t.string, "the container's name, or the command of the process"],
    ready: [t.boolean, 'whether a session could start'],
    ports: [t.array(port), 'TCP ports that it listens on'],
  },
  {
    reason: [t.string, 'why it is not ready'],
    pid: [count, 'its first process'],
    runtime: [t.string, 'docker, podman, nerdctl or containerd'],
    command: [t.string, 'command line, at most 200 characters'],
  },
)
export type Target = t.TypeOf<typeof target>

export const listTargets = request({
  method: 'listTargets',
  direction: 'clientToServer',
  summary: 'The targets on this machine: processes that listen on a TCP port, and running containers.',
  errors: ['agent-failed'],
  params: object(
    'ListTargetsParams',
    {},
    {
      kinds: [t.array(targetKind), 'only these kinds'],
      name: [t.string, 'only targets whose name contains this'],
      partialResultToken: [
        progressToken,
        'send the targets as they are found with $/progress; the result is then empty',
      ],
      workDoneToken: [progressToken, 'report progress'],
    },
  ),
  result: object('ListTargetsResult', {
    targets: [t.array(target), 'the targets, sorted by kind and name'],
    warnings: [t.array(t.string), 'what could not be looked at, and why'],
  }),
  example: {
    params: { kinds: ['process'] },
    result: {
      targets: [
        {
          target: 'process/4711',
          kind: 'process',
          name: 'node',
          ready: true,
          ports: [8080],
          pid: 4711,
          command: 'node shop.js',
        },
      ],
      warnings: [],
    },
  },
})

export const describeTarget = request({
  method: 'describeTarget',
  direction: 'clientToServer',
  summary: 'One target: its process, addresses, ports, and what a session there would need.',
  errors: [
    'target-invalid',
    'target-not-found',
    'target-ambiguous',
    'target-unreadable',
    'target-ended',
    'runtime-failed',
    'agent-failed',
  ],
  params: object('DescribeTargetParams', { target: [t.string, '"process/PID" or "container/NAME"'] }),
  result: object(
    'TargetDescription',
    {
      target: [target, 'the target, resolved'],
      hostname: [t.string, 'the host name that it sees'],
      addresses: [t.array(t.string), 'its own IP addresses, loopback excluded'],
      listeners: [t.array(endpoint), 'its TCP listeners'],
      ownNetwork: [t.boolean, 'whether it has a network namespace of its own'],
      needs: [
        t.array(
          object(
            'Need',
            {
              what: [t.string, 'a right or a feature'],
              granted: [t.boolean, 'whether it is there'],
            },
            { fix: [t.string, 'how to get it'] },
          ),
        ),
        'what a session needs',
      ],
    },
    { sidecar: [t.string, 'the mesh sidecar that stands before it: istio or linkerd'] },
  ),
  example: {
    params: { target: 'process/4711' },
    result: {
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
      listeners: [{ address: '0.0.0.0', port: 8080 }],
      ownNetwork: true,
      needs: [{ what: 'enter the network namespace of pid 4711', granted: true }],
    },
  },
})

// What can be stood in for: the list of targets and the description of one.
import * as t from 'io-ts'
import { count, endpoint, object, oneOf, port } from '../codec.ts'
import { clusterChoice, clusterErrors, configChoice, configErrors } from './kubernetes.ts'
import { progressToken } from './lifecycle.ts'
import { request } from './message.ts'

/** Those of this machine come first, then those of a cluster. */
const listedKinds = [
  'process',
  'container',
  'pod',
  'deployment',
  'statefulset',
  'daemonset',
  'replicaset',
  'job',
  'cronjob',
  'service',
  'rollout',
] as const
export const listedKind = oneOf(...listedKinds)
export type ListedKind = t.TypeOf<typeof listedKind>

/** "targetless" is never listed: it stands for no object, but for the network of a namespace. */
export const targetKind = oneOf(...listedKinds, 'targetless')
export type TargetKind = t.TypeOf<typeof targetKind>

/** How a target is written; `label/k=v` (several by commas) is one too, but is never listed. */
const targetForms =
  '"process/PID" or "container/NAME" on this machine; "KIND/NAME" or "label/KEY=VALUE" in a cluster, each with "/container/NAME" if wanted; a bare "NAME" if only one kind has it; "targetless" for the network of the namespace without a pod'

const inCluster = {
  ...clusterChoice,
  ...configChoice,
  namespace: [t.string, "namespace of the target; default the context's"],
} as const

export const target = object(
  'Target',
  {
    target: [t.string, `what startSession takes: ${targetForms}`],
    kind: [targetKind, 'kind of the target'],
    name: [t.string, "the object's or container's name, the command of the process, or the namespace"],
    ready: [t.boolean, 'whether a session could start'],
    ports: [
      t.array(port),
      'TCP ports that it listens on; in a cluster those that it declares, until an agent has looked',
    ],
  },
  {
    reason: [t.string, 'why it is not ready'],
    pid: [count, 'its first process'],
    runtime: [t.string, 'docker, podman, nerdctl or containerd'],
    command: [t.string, 'command line, at most 200 characters'],
    namespace: [t.string, 'its namespace'],
    containers: [t.array(t.string), 'names of its containers, the one that a session would take first'],
    pods: [
      object('PodCount', { ready: [count, 'ready pods'], total: [count, 'all its pods'] }),
      'its pods; not for a pod itself',
    ],
  },
)
export type Target = t.TypeOf<typeof target>

export const listTargets = request({
  method: 'listTargets',
  direction: 'clientToServer',
  summary:
    'The targets in a namespace of a cluster, or on this machine: processes that listen on a TCP port, and running containers. Cancelling keeps what was sent in parts.',
  errors: ['agent-failed', 'namespace-not-found', 'selector-invalid', ...clusterErrors, ...configErrors],
  params: object(
    'ListTargetsParams',
    {},
    {
      kinds: [t.array(listedKind), 'only these kinds'],
      name: [t.string, 'only targets whose name contains this'],
      place: [
        oneOf('cluster', 'machine'),
        'where to look; default by "kinds", else the cluster if there is a kubeconfig, else this machine',
      ],
      ...inCluster,
      allNamespaces: [t.boolean, 'look in all namespaces'],
      labels: [t.string, 'label selector as of kubectl -l: "app=shop,tier!=db"'],
      partialResultToken: [
        progressToken,
        'send the targets as they are found with $/progress; the result is then empty',
      ],
      workDoneToken: [progressToken, 'report progress'],
    },
  ),
  result: object('ListTargetsResult', {
    targets: [t.array(target), 'the targets, sorted by namespace, kind and name'],
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

const containerDescription = object(
  'ContainerDescription',
  {
    name: [t.string, 'its name'],
    image: [t.string, 'its image'],
    ready: [t.boolean, 'whether it is ready'],
    chosen: [t.boolean, 'whether a session would take it'],
    restarts: [count, 'how often it was started again'],
    ports: [
      t.array(
        object(
          'ContainerPort',
          { port: [port, 'the port'], protocol: [t.string, 'TCP, UDP or SCTP'] },
          { name: [t.string, 'its name'] },
        ),
      ),
      'ports that it declares',
    ],
    probes: [
      t.array(
        object(
          'Probe',
          {
            probe: [oneOf('liveness', 'readiness', 'startup'), 'what it decides'],
            by: [oneOf('http', 'tcp', 'grpc', 'exec'), 'how it asks'],
          },
          { port: [port, 'the port that it asks'], path: [t.string, 'path of an HTTP probe'] },
        ),
      ),
      'its probes',
    ],
  },
  {
    reason: [t.string, 'why it is not ready'],
    sidecar: [t.string, 'what it is when it is no program of the user: istio, linkerd...'],
  },
)

const podDescription = object(
  'PodDescription',
  {
    name: [t.string, 'its name'],
    phase: [t.string, 'Pending, Running, Succeeded, Failed or Unknown'],
    ready: [t.boolean, 'whether it is ready'],
    chosen: [t.boolean, 'whether a session would take it'],
    addresses: [t.array(t.string), 'its IP addresses'],
    containers: [t.array(containerDescription), 'its containers, sidecars included'],
  },
  { node: [t.string, 'its node'], reason: [t.string, 'why it is not ready'] },
)

export const describeTarget = request({
  method: 'describeTarget',
  direction: 'clientToServer',
  summary:
    'One target: its pods or its process, addresses, ports, and what a session there would need and whether you may. Starts nothing.',
  errors: [
    'target-invalid',
    'target-not-found',
    'target-ambiguous',
    'target-unreadable',
    'target-ended',
    'runtime-failed',
    'agent-failed',
    'target-kind-ambiguous',
    'selector-invalid',
    'namespace-not-found',
    'container-not-found',
    ...clusterErrors,
    ...configErrors,
  ],
  params: object('DescribeTargetParams', { target: [t.string, targetForms] }, inCluster),
  result: object(
    'TargetDescription',
    {
      target: [target, 'the target, resolved'],
      hostname: [t.string, 'the host name that it sees; empty when it has no pod yet'],
      addresses: [t.array(t.string), 'its own IP addresses, loopback excluded'],
      listeners: [t.array(endpoint), 'its TCP listeners; in a cluster only a session knows them'],
      ownNetwork: [t.boolean, 'whether it has a network namespace of its own'],
      needs: [
        t.array(
          object(
            'Need',
            {
              what: [t.string, 'a right or a feature'],
              granted: [t.boolean, 'whether it is there'],
            },
            {
              fix: [t.string, 'how to get it'],
              unknown: [t.string, 'why it could not be found out; "granted" is false then'],
            },
          ),
        ),
        'what a session needs',
      ],
    },
    {
      sidecar: [t.string, 'the mesh sidecar that stands before it: istio or linkerd'],
      pods: [t.array(podDescription), 'its pods in a cluster, the one that a session would take first'],
    },
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

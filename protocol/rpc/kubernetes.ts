// The cluster itself: contexts of the kubeconfig, namespaces, and what an old crash of a cluster component left behind.
import * as t from 'io-ts'
import { object, oneOf } from '../codec.ts'
import { request } from './message.ts'

/** Which cluster is meant, as kubectl's options of the same names; the defaults are kubectl's too. */
export const clusterChoice = {
  kubeconfig: [
    t.string,
    'path of a kubeconfig file; default KUBECONFIG, else ~/.kube/config, else in-cluster',
  ],
  context: [t.string, 'context of the kubeconfig; default the current one'],
} as const

/** What a request leaves open is taken from the configuration file of the project, so that every command means the same cluster. */
export const configChoice = {
  configFile: [
    t.string,
    'configuration file whose kubeconfig, kube_context and target.namespace hold where the request says nothing; default .standin/standin.json of "folder", if it is there',
  ],
  folder: [t.string, "the client's working folder, absolute"],
} as const
export const configErrors = ['config-invalid', 'config-unreadable'] as const

/** Kinds of errors that reaching any cluster may end with. */
export const clusterErrors = [
  'kubeconfig-missing',
  'kubeconfig-invalid',
  'context-not-found',
  'credentials-failed',
  'cluster-refused',
  'cluster-name-unknown',
  'cluster-silent',
  'cluster-untrusted',
  'cluster-certificate-expired',
  'cluster-proxy-failed',
  'cluster-unreachable',
  'cluster-unauthorized',
  'cluster-forbidden',
  'cluster-failed',
] as const

export const listContexts = request({
  method: 'listContexts',
  direction: 'clientToServer',
  summary: 'The contexts of the kubeconfig, merged as kubectl merges them. No cluster is asked.',
  errors: ['kubeconfig-missing', 'kubeconfig-invalid'],
  params: object('ListContextsParams', {}, { kubeconfig: clusterChoice.kubeconfig }),
  result: object(
    'ListContextsResult',
    {
      contexts: [
        t.array(
          object(
            'Context',
            {
              name: [t.string, 'its name'],
              cluster: [t.string, 'name of its cluster'],
              current: [t.boolean, 'whether it is the default'],
            },
            {
              server: [t.string, 'URL of the API server'],
              user: [t.string, 'name of its user'],
              namespace: [t.string, 'its default namespace'],
            },
          ),
        ),
        'in the order of the files',
      ],
      warnings: [t.array(t.string), 'contexts that name what is not there'],
    },
    { current: [t.string, 'the default context'] },
  ),
  example: {
    params: {},
    result: {
      contexts: [
        {
          name: 'staging',
          cluster: 'staging',
          current: true,
          server: 'https://10.0.0.1:6443',
          user: 'ada',
          namespace: 'shop',
        },
      ],
      warnings: [],
      current: 'staging',
    },
  },
})

export const listNamespaces = request({
  method: 'listNamespaces',
  direction: 'clientToServer',
  summary: 'The namespaces of a cluster.',
  errors: [...clusterErrors, ...configErrors],
  params: object('ListNamespacesParams', {}, { ...clusterChoice, ...configChoice }),
  result: object(
    'ListNamespacesResult',
    {
      namespaces: [
        t.array(
          object('Namespace', {
            name: [t.string, 'its name'],
            phase: [t.string, 'Active or Terminating'],
            current: [t.boolean, "whether it is the context's default"],
          }),
        ),
        'sorted by name',
      ],
    },
    { context: [t.string, 'the context that was asked'] },
  ),
  example: {
    params: { context: 'staging' },
    result: { namespaces: [{ name: 'shop', phase: 'Active', current: true }], context: 'staging' },
  },
})

export const cleanCluster = request({
  method: 'cleanCluster',
  direction: 'clientToServer',
  summary:
    'Finds what sessions left in a cluster because one of its components crashed, and removes it. What belongs to a session that lives, anyone’s, is kept.',
  errors: [...clusterErrors, ...configErrors, 'namespace-not-found'],
  params: object(
    'CleanClusterParams',
    {},
    {
      ...clusterChoice,
      ...configChoice,
      namespace: [
        t.string,
        "namespace to look in, beside the configuration's agent.namespace; default the context's",
      ],
      allNamespaces: [t.boolean, 'look in all namespaces'],
      dryRun: [t.boolean, 'only say what would be removed'],
    },
  ),
  result: object('CleanClusterResult', {
    leftovers: [
      t.array(
        object(
          'Leftover',
          {
            kind: [oneOf('Job', 'Pod', 'EphemeralContainer'), 'kind of the object'],
            namespace: [t.string, 'its namespace'],
            name: [t.string, 'its name'],
            createdAt: [t.string, 'ISO 8601 time of its creation'],
            action: [
              oneOf('removed', 'removing', 'wouldRemove', 'kept', 'failed'),
              'removed: it is gone; removing: it is deleted and still there, the reason says what it waits for; kept: it is in use, or Kubernetes cannot remove it',
            ],
            reason: [t.string, 'why it counts as left behind, or why it is kept'],
          },
          { failure: [t.string, 'why it could not be removed'] },
        ),
      ),
      'what was found',
    ],
  }),
  example: {
    params: { namespace: 'shop' },
    result: {
      leftovers: [
        {
          kind: 'Job',
          namespace: 'shop',
          name: 'standin-agent-4f1c2a',
          createdAt: '2026-01-01T00:00:00.000Z',
          action: 'removed',
          reason: 'its agent ended 3 h ago, and the cluster did not remove it',
        },
      ],
    },
  },
})

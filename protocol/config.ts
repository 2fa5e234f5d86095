// The configuration of a session, in mirrord's vocabulary (snake_case keys); sources: mirrord's configuration reference, DESIGN section 10.
import * as t from 'io-ts'
import { count, object, oneOf, port } from './codec.ts'
import { excludedNames } from './excluded-variables.ts'

/** One pattern string with `;` between patterns, or a list of patterns; `*` stands for any characters, `?` for one. */
const patterns = t.union([t.string, t.array(t.string)])

/** A resource list of Kubernetes: "cpu": "100m", "memory": "128Mi". */
const quantities = t.record(t.string, t.union([t.string, t.number]))

/** Keys and meanings as in mirrord's `agent`; source: mirrord's configuration reference. Values that Kubernetes defines are passed on as they are. */
export const agentConfig = object(
  'AgentConfig',
  {},
  {
    image: [t.string, 'image with Node.js 20 or newer; default "node:22-slim"'],
    image_pull_policy: [oneOf('Always', 'IfNotPresent', 'Never'), 'default "IfNotPresent"'],
    image_pull_secrets: [
      t.array(object('ImagePullSecret', { name: [t.string, 'name of the Secret'] })),
      "Secrets in the agent's namespace that the image is pulled with",
    ],
    namespace: [t.string, "namespace of the agent's Job; default the target's"],
    labels: [t.record(t.string, t.string), 'labels to add to the Job and its pod'],
    annotations: [t.record(t.string, t.string), 'annotations to add to the Job and its pod'],
    node_selector: [
      t.record(t.string, t.string),
      "added to the pod's; the node is always the target's, if there is a target",
    ],
    tolerations: [
      t.array(t.UnknownRecord),
      'tolerations of the pod; default: every taint is tolerated, none without a target',
    ],
    resources: [
      object(
        'AgentResources',
        {},
        { requests: [quantities, 'what is reserved'], limits: [quantities, 'what is the most'] },
      ),
      'default: requests 10m and 48Mi, limits 1 and 512Mi',
    ],
    priority_class: [t.string, "priority class of the pod; default the namespace's"],
    service_account: [t.string, 'service account of the pod, whose token is never mounted'],
    startup_timeout: [count, 'seconds that starting may take; default 60'],
    ttl: [count, 'seconds that the finished Job is kept, for its logs; default 0'],
    security_context: [t.UnknownRecord, "laid over the container's securityContext, key by key"],
    ephemeral: [
      t.boolean,
      'an ephemeral container in the pod instead of a Job, for clusters that forbid hostPID; it takes only image, image_pull_policy, startup_timeout and security_context, and Kubernetes keeps its finished entry in the pod',
    ],
  },
)
export type AgentConfig = t.TypeOf<typeof agentConfig>

const filterEntries = t.union([t.string, t.array(t.string)])

export const outgoingFilter = object(
  'OutgoingFilter',
  {},
  {
    remote: [
      filterEntries,
      'only what matches one of these leaves from the pod: "[protocol://][name|address|subnet/mask][:port]", as in "db.shop", "tcp://10.0.0.0/8:5432", "[2001:db8::]/32" or ":6379"; protocol tcp, udp or any; a name stands for the addresses that it and names under it resolve to',
    ],
    local: [filterEntries, 'what matches one of these stays on this machine; not together with remote'],
  },
)
export type OutgoingFilterConfig = t.TypeOf<typeof outgoingFilter>

const filterNames = t.union([t.string, t.array(t.string)])

const dnsFilter = object(
  'DnsFilter',
  {},
  {
    remote: [
      filterNames,
      'only these names and all under them ("shop.svc.cluster.local", "db") are looked up in the pod, the rest by this machine',
    ],
    local: [
      filterNames,
      'these names and all under them are looked up by this machine; not together with remote',
    ],
  },
)
export type DnsFilterConfig = t.TypeOf<typeof dnsFilter>

export const sessionConfig = object(
  'SessionConfig',
  {},
  {
    target: [
      t.union([
        t.string,
        object(
          'TargetConfig',
          {},
          {
            path: [t.string, 'the target: "deployment/shop", "pod/shop-0/container/web", "targetless"...'],
            namespace: [t.string, "its namespace; default the context's"],
          },
        ),
      ]),
      'what to stand in for',
    ],
    kubeconfig: [
      t.string,
      'path of a kubeconfig file; default KUBECONFIG, else ~/.kube/config, else in-cluster',
    ],
    kube_context: [t.string, 'context of the kubeconfig; default the current one'],
    agent: [agentConfig, "how the agent's Job or ephemeral container is made"],
    feature: [
      object(
        'Feature',
        {},
        {
          env: [
            t.union([
              t.boolean,
              object(
                'EnvFeature',
                {},
                {
                  include: [
                    patterns,
                    `only these variables of the pod; one that is named exactly comes even if it is left out by default, as these are: ${excludedNames}`,
                  ],
                  exclude: [patterns, 'all but these variables of the pod; not together with include'],
                  override: [t.record(t.string, t.string), 'variables to set, whatever the pod has'],
                  unset: [t.array(t.string), "variables to remove from the process's environment"],
                },
              ),
            ]),
            "the pod's environment, without what is about the pod's machine (see include); false leaves the environment alone",
          ],
          network: [
            object(
              'NetworkFeature',
              {},
              {
                incoming: [
                  t.union([
                    oneOf('mirror', 'off'),
                    object(
                      'IncomingFeature',
                      {},
                      {
                        mode: [
                          oneOf('mirror', 'off'),
                          'mirror: the process gets a copy; off: nothing arrives',
                        ],
                        ports: [t.array(port), 'only these ports of the pod'],
                        ignore_ports: [t.array(port), 'never these ports of the pod'],
                        port_mapping: [t.array(t.tuple([port, port])), 'pairs of [process port, pod port]'],
                      },
                    ),
                  ]),
                  'traffic from the cluster to the process',
                ],
                outgoing: [
                  t.union([
                    t.boolean,
                    object(
                      'OutgoingFeature',
                      {},
                      {
                        tcp: [t.boolean, 'whether TCP connections leave from the pod; default true'],
                        udp: [t.boolean, 'whether UDP datagrams leave from the pod; default true'],
                        filter: [
                          outgoingFilter,
                          'which of them do; loopback and the addresses of this machine are no business of it, but an entry that names loopback decides for that',
                        ],
                        unix_streams: [
                          patterns,
                          'regular expressions: a connection to a Unix socket whose path matches one reaches the pod\'s; an abstract one is matched as "@NAME"; as in "^/run/app/", "docker\\.sock$" or "^@app"; default: all stay on this machine',
                        ],
                        ignore_localhost: [
                          t.boolean,
                          "whether connections and datagrams to loopback addresses all stay on this machine; default false: those to ports that nothing here listens on reach the pod's loopback",
                        ],
                      },
                    ),
                  ]),
                  'connections of the process leave from the pod; false: from this machine; default true',
                ],
                dns: [
                  t.union([
                    t.boolean,
                    object(
                      'DnsFeature',
                      {},
                      {
                        enabled: [t.boolean, 'default true'],
                        filter: [dnsFilter, 'which names are looked up in the pod; default all'],
                      },
                    ),
                  ]),
                  'names are looked up as in the pod, with its resolv.conf and hosts file; false: by this machine; default true, where outgoing TCP connections leave from the pod',
                ],
              },
            ),
            'network features',
          ],
          hostname: [t.boolean, "the process sees the pod's host name; default true"],
        },
      ),
      'what the process gets from the pod',
    ],
  },
)
export type SessionConfig = t.TypeOf<typeof sessionConfig>

// The configuration of a session, in mirrord's vocabulary (snake_case keys); sources: mirrord's configuration reference, DESIGN section 10.
import * as t from 'io-ts'
import { object, oneOf, port } from './codec.ts'

/** One pattern string with `;` between patterns, or a list of patterns; `*` stands for any characters, `?` for one. */
const patterns = t.union([t.string, t.array(t.string)])

export const sessionConfig = object(
  'SessionConfig',
  {},
  {
    target: [t.string, '"process/PID" or "container/NAME"'],
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
                  include: [patterns, 'only these variables of the pod'],
                  exclude: [patterns, 'all but these variables of the pod; not together with include'],
                  override: [t.record(t.string, t.string), 'variables to set, whatever the pod has'],
                  unset: [t.array(t.string), "variables to remove from the process's environment"],
                },
              ),
            ]),
            "the pod's environment; false leaves the environment alone",
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
              },
            ),
            'network features',
          ],
        },
      ),
      'what the process gets from the pod',
    ],
  },
)
export type SessionConfig = t.TypeOf<typeof sessionConfig>

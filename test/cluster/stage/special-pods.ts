// Pods that are made otherwise than most: alone in the image, one process namespace, the node's network, a read-only root, another user.
import { createHash } from 'node:crypto'
import { apply, kubectl, podsReady } from './kubectl.ts'

export type SpecialPod = { name: string; what: string; address: string; port: number }

const variable = { name: 'SHOP_REGION', value: 'pod' }

/** Each answers HTTP at its port with JSON that has its host name and the path, and has the variable SHOP_REGION. */
export async function makeSpecialPods(namespace: string): Promise<readonly SpecialPod[]> {
  // In the network of the node, others have ports too.
  const nodePort = 20_000 + (createHash('sha256').update(namespace).digest().readUInt16BE(0) % 10_000)
  const serving = (port: number, more: object = {}) => ({
    ...{ name: 'main', image: 'localhost/node:20', imagePullPolicy: 'IfNotPresent', env: [variable] },
    command: ['node', '-e', program, String(port)],
    ports: [{ containerPort: port }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    ...more,
  })
  const neighbour = { name: 'neighbour', image: 'localhost/node:20', command: ['sleep', '3600'] }
  const all: { name: string; what: string; port?: number; spec: object }[] = [
    {
      ...{ name: 'alone', what: 'a program alone in its image' },
      spec: { containers: [{ ...serving(8080), image: 'localhost/static:1', command: ['/static'] }] },
    },
    {
      ...{ name: 'shared', what: 'shareProcessNamespace' },
      spec: { shareProcessNamespace: true, containers: [serving(8080), neighbour] },
    },
    {
      ...{ name: 'read-only', what: 'a read-only root' },
      spec: { containers: [serving(8080, { securityContext: { readOnlyRootFilesystem: true } })] },
    },
    {
      ...{ name: 'other-user', what: 'another user than root, who may gain no right' },
      spec: {
        securityContext: { runAsUser: 1234, runAsGroup: 1234, runAsNonRoot: true },
        containers: [
          serving(8080, {
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          }),
        ],
      },
    },
    {
      ...{ name: 'host-network', what: 'hostNetwork', port: nodePort },
      spec: { hostNetwork: true, containers: [serving(nodePort)] },
    },
  ]
  await apply(
    ...all.map(({ name, spec }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: 'special' } },
      spec: { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, ...spec },
    })),
  )
  await podsReady(namespace, 'app=special')
  const { items } = JSON.parse(
    await kubectl(['-n', namespace, 'get', 'pods', '-l', 'app=special', '-o', 'json']),
  )
  const addresses = new Map<string, string>(
    items.map((pod: { metadata: { name: string }; status: { podIP: string } }) => [
      pod.metadata.name,
      pod.status.podIP,
    ]),
  )
  return all.map(({ name, what, port = 8080 }) => ({ name, what, port, address: addresses.get(name) ?? '' }))
}

const program = `
require('http').createServer((request, response) =>
  response.end(JSON.stringify({ hostname: require('os').hostname(), path: request.url }))).listen(Number(process.argv[1]))`

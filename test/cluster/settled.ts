// Waits until every part of the cluster hears the API server again: after outages each asks anew only after a pause, of up to a minute.
import { randomBytes } from 'node:crypto'
import { nodes } from './layout.ts'
import { inNode } from './node.ts'
import { until } from './run.ts'
import { apply, kubectl, objectOf, waitForObject } from './stage/kubectl.ts'

/**
 * Pauses grow from outage to outage, to 30 s and as much again by chance (client-go, reflector.go), and one may follow another while the server's
 * own caches lag behind. Pods of both nodes that began 100 s after the server was back were seen.
 */
const withinS = 180

/** Has the controllers, the scheduler, each kubelet and each kube-proxy do something once, and takes it away; throws after 180 s with the part that did not. */
export async function settled(): Promise<void> {
  const namespace = `settled-${randomBytes(3).toString('hex')}`
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  try {
    await waitForObject(
      'controllers to act',
      ['-n', namespace, 'serviceaccount', 'default'],
      found => found !== undefined,
      withinS * 1_000,
    )
    const pods = nodes.map(({ name }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: 'settled' } },
      // A selector leaves the choice to the scheduler, so that it has to act too.
      spec: {
        nodeSelector: { 'kubernetes.io/hostname': name },
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'pause', image: 'localhost/pause:3.10', imagePullPolicy: 'Never' }],
      },
    }))
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'settled', namespace },
      spec: { selector: { app: 'settled' }, ports: [{ port: 80 }] },
    }
    await apply(service, ...pods)
    const ready = ['wait', 'pod', '--all', '--for=condition=Ready', `--timeout=${withinS}s`]
    await kubectl(['-n', namespace, ...ready], { timeoutMs: (withinS + 5) * 1_000 })
    const address: string = (await objectOf(['-n', namespace, 'service', 'settled'])).spec.clusterIP
    for (const node of nodes)
      await until(`kube-proxy of ${node.name} to know a service and its pods`, withinS * 1_000, async () => {
        const rules = await inNode(node, ['iptables-save', '-t', 'nat'])
        return new RegExp(`-d ${address}/32 .*--dport 80 -j KUBE-SVC`).test(rules)
      })
  } finally {
    await kubectl(['delete', 'namespace', namespace, '--timeout=90s'], { timeoutMs: 95_000 })
  }
}

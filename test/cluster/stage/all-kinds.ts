// A target of every kind that the cluster and its users have, each with a pod that runs; Argo's Rollout comes with its definition.
import { apply, kubectl, podsReady, waitForObject } from './kubectl.ts'

const image = 'localhost/node:20'
const serves = ['node', '-e', `require('http').createServer((q, s) => s.end('x')).listen(8080)`]
const idle = ['node', '-e', 'setInterval(() => {}, 1 << 30)']
const main = {
  ...{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: serves },
  ports: [{ containerPort: 8080, name: 'http' }],
}
const spec = {
  terminationGracePeriodSeconds: 0,
  automountServiceAccountToken: false,
  containers: [main],
}

/** With a sidecar of a mesh first, as injectors put it, and a probe of each way. */
const meshed = {
  ...spec,
  containers: [
    { name: 'istio-proxy', image, command: idle, ports: [{ containerPort: 15090 }] },
    {
      ...main,
      startupProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
      readinessProbe: { httpGet: { port: 'http', path: '/healthz' }, periodSeconds: 1 },
      livenessProbe: { tcpSocket: { port: 8080 } },
    },
    {
      ...{ name: 'rpc', image, command: idle },
      ports: [{ containerPort: 9090 }, { containerPort: 9091, protocol: 'UDP' }],
      livenessProbe: { grpc: { port: 9090 }, initialDelaySeconds: 3_600 },
    },
  ],
}

/** Kinds with the name of the object of that kind, which is also the label "app" of its pods. */
export const allKinds = {
  deployment: 'web',
  statefulset: 'db',
  daemonset: 'log',
  replicaset: 'old',
  job: 'import',
  cronjob: 'nightly',
  rollout: 'canary',
  pod: 'single',
  service: 'front',
} as const

/** Makes them and waits for their pods; `remove` takes away what is outside of the namespace, which the caller removes. */
export async function makeAllKinds(namespace: string): Promise<{ remove(): Promise<void> }> {
  const template = (app: string, of: object = spec) => ({ metadata: { labels: { app } }, spec: of })
  const owning = (app: string, of: object = spec) => ({
    selector: { matchLabels: { app } },
    template: template(app, of),
  })
  const object = (apiVersion: string, kind: string, name: string, of: object, labels = {}) => ({
    ...{ apiVersion, kind, metadata: { name, namespace, labels }, spec: of },
  })
  const once = { ...spec, restartPolicy: 'Never' }
  const tier = { tier: 'edge' }
  await apply(rolloutDefinition)
  await apply(
    object('apps/v1', 'Deployment', 'web', { replicas: 2, ...owning('web') }, tier),
    object('apps/v1', 'StatefulSet', 'db', { serviceName: 'db', ...owning('db', meshed) }),
    object('apps/v1', 'DaemonSet', 'log', owning('log')),
    object('apps/v1', 'ReplicaSet', 'old', { replicas: 1, ...owning('old') }),
    object('batch/v1', 'Job', 'import', { template: template('import', once) }),
    object('batch/v1', 'CronJob', 'nightly', {
      schedule: '* * * * *',
      concurrencyPolicy: 'Forbid',
      jobTemplate: { spec: { template: template('nightly', once) } },
    }),
    {
      ...object('v1', 'Pod', 'single', spec),
      metadata: { name: 'single', namespace, labels: { app: 'single', ...tier } },
    },
    object(
      'v1',
      'Service',
      'front',
      { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
      tier,
    ),
    object('v1', 'Service', 'manual', { ports: [{ port: 80 }] }),
    object('v1', 'Service', 'elsewhere', { type: 'ExternalName', externalName: 'db.example.com' }),
  )
  // It has missed a minute, so it runs its job at once.
  const missed = { status: { lastScheduleTime: new Date(Date.now() - 90_000).toISOString() } }
  await patchStatus(namespace, 'cronjob/nightly', missed)
  await kubectl(['wait', 'crd/rollouts.argoproj.io', '--for=condition=Established', '--timeout=20s'])
  await makeRollout(namespace, owning('canary'))
  await podsReady(namespace, 'app in (web, db, log, old, import, nightly, canary, single)')
  await waitForObject('a ready pod of the cron job', ['-n', namespace, 'pods', '-l', 'app=nightly'], found =>
    found.items.some(ready),
  )
  await waitForObject('all kinds to count their pods', ['-n', namespace, 'sts,rs,ds,jobs'], found =>
    found.items.every(
      ({ status }: { status: { readyReplicas?: number; numberReady?: number; ready?: number } }) =>
        (status.readyReplicas ?? status.numberReady ?? status.ready ?? 0) > 0,
    ),
  )
  return {
    async remove() {
      await kubectl(['delete', 'crd', 'rollouts.argoproj.io', '--ignore-not-found'])
    },
  }
}

function ready({ status }: { status: { conditions?: { type: string; status: string }[] } }): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
}

async function patchStatus(namespace: string, which: string, status: object): Promise<void> {
  const how = ['--subresource', 'status', '--type', 'merge', '-p', JSON.stringify(status)]
  await kubectl(['-n', namespace, 'patch', which, ...how])
}

/** What its controller would do: a replica set of the rollout's name and a hash, and the numbers in its status. */
async function makeRollout(
  namespace: string,
  {
    selector,
    template,
  }: { selector: object; template: { metadata: { labels: { app: string } }; spec: object } },
): Promise<void> {
  const metadata = { name: 'canary', namespace }
  const owner = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
  await apply({ ...owner, metadata, spec: { replicas: 1, selector, template } })
  const { uid } = JSON.parse(
    await kubectl(['-n', namespace, 'get', 'rollout', 'canary', '-o', 'json']),
  ).metadata
  const labels = { ...template.metadata.labels, 'rollouts-pod-template-hash': '6f9d' }
  await apply({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...{ name: 'canary-6f9d', namespace, labels },
      ownerReferences: [{ ...owner, name: 'canary', uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { labels } },
    },
  })
  await patchStatus(namespace, 'rollout/canary', { status: { replicas: 1, readyReplicas: 1 } })
}

/** As much of it as kubectl and the API server need; source: argo-rollouts, manifests/crds/rollout-crd.yaml. */
const rolloutDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'rollouts.argoproj.io' },
  spec: {
    group: 'argoproj.io',
    scope: 'Namespaced',
    names: {
      kind: 'Rollout',
      listKind: 'RolloutList',
      plural: 'rollouts',
      singular: 'rollout',
      shortNames: ['ro'],
    },
    versions: [
      {
        ...{ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

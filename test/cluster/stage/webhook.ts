// An admission webhook of the cluster that says no to the Jobs or pods of one namespace, in words of the test's choice.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, until } from '../run.ts'
import { apply, kubectl, podsReady } from './kubectl.ts'

const program = `
const { key, cert, message } = JSON.parse(process.env.WEBHOOK)
require('https').createServer({ key, cert }, async (request, response) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const { uid } = JSON.parse(text || '{"request":{}}').request
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: false, status: { message } } }))
}).listen(8443)`

/** Denies every "jobs" or "pods" of agents that is created there. */
export async function startWebhook(
  namespace: string,
  resource: 'jobs' | 'pods',
  message: string,
): Promise<{ name: string; remove(): Promise<void> }> {
  const host = `policy.${namespace}.svc`
  const { key, cert } = await certificateFor(host)
  const at = { namespace }
  const container = {
    name: 'policy',
    image: 'localhost/node:20',
    command: ['node', '-e', program],
    env: [{ name: 'WEBHOOK', value: JSON.stringify({ key, cert, message }) }],
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
  }
  await apply(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'policy', labels: { app: 'policy' }, ...at },
      spec: { terminationGracePeriodSeconds: 0, containers: [container] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'policy', ...at },
      spec: { selector: { app: 'policy' }, ports: [{ port: 443, targetPort: 8443 }] },
    },
  )
  await podsReady(namespace, 'app=policy')
  const name = `policy.${namespace}.example.com`
  await apply(configuration(name, namespace, resource, Buffer.from(cert).toString('base64')))
  await until('the webhook to be asked', 30_000, async () => {
    const refused = await probe(namespace, resource)
    return refused.includes('denied the request')
  })
  return {
    name,
    remove: async () => {
      await kubectl(['delete', 'validatingwebhookconfiguration', name, '--ignore-not-found'])
    },
  }
}

function configuration(name: string, namespace: string, resource: string, caBundle: string): object {
  const group = resource === 'jobs' ? 'batch' : ''
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: { service: { name: 'policy', namespace, path: '/' }, caBundle },
        rules: [{ apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE'], resources: [resource] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        objectSelector: { matchLabels: { 'app.kubernetes.io/managed-by': 'standin' } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 5,
      },
    ],
  }
}

/** What the API server says to an object that the webhook is for; nothing is made. */
async function probe(namespace: string, resource: 'jobs' | 'pods'): Promise<string> {
  const labels = { 'app.kubernetes.io/managed-by': 'standin' }
  const spec = { restartPolicy: 'Never', containers: [{ name: 'x', image: 'localhost/pause:3.10' }] }
  const metadata = { name: 'probe', namespace, labels }
  const object =
    resource === 'pods'
      ? { apiVersion: 'v1', kind: 'Pod', metadata, spec }
      : { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: { spec } } }
  const input = JSON.stringify(object)
  return kubectl(['create', '--dry-run=server', '-f', '-'], { input }).catch((error: Error) => error.message)
}

async function certificateFor(host: string): Promise<{ key: string; cert: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'standin-webhook-'))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  const names = ['-subj', `/CN=policy`, '-addext', `subjectAltName=DNS:${host}`]
  try {
    await run('openssl', [...request, ...names, '-keyout', key, '-out', cert])
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

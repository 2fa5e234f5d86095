// A container registry on a node's loopback, where the runtime speaks plain HTTP: one that lacks an image, one that wants a login, one that never answers.
import { apply, kubectl, podsReady } from './kubectl.ts'

const port = 5_999

const program = `
require('http').createServer((request, response) => {
  if (request.url.startsWith('/v2/slow/')) return
  const [code, status] = request.url.startsWith('/v2/private/') ? ['UNAUTHORIZED', 401] : ['MANIFEST_UNKNOWN', 404]
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 401 ? { 'www-authenticate': 'Basic realm="x"' } : {}) })
  response.end(JSON.stringify({ errors: [{ code, message: 'no' }] }))
}).listen(${port}, '127.0.0.1', () => console.log('listening'))`

/** Names of images there; whatever pulls them has to be on the node. */
export const registryImages = {
  absent: `localhost:${port}/absent/node:1`,
  private: `localhost:${port}/private/node:1`,
  slow: `localhost:${port}/slow/node:1`,
} as const

/** Ends with its namespace, or by `stop`, after which pulls that wait for it fail. */
export async function startRegistry(namespace: string, node: string): Promise<{ stop(): Promise<void> }> {
  const container = {
    name: 'registry',
    image: 'localhost/node:20',
    command: ['node', '-e', program],
    readinessProbe: {
      exec: {
        command: [
          'node',
          '-e',
          `require('net').connect(${port}, '127.0.0.1').on('error', () => process.exit(1)).on('connect', () => process.exit(0))`,
        ],
      },
      periodSeconds: 1,
    },
  }
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'registry', namespace, labels: { app: 'registry' } },
    spec: { hostNetwork: true, nodeName: node, terminationGracePeriodSeconds: 0, containers: [container] },
  })
  await podsReady(namespace, 'app=registry')
  return {
    async stop() {
      await kubectl([
        '-n',
        namespace,
        'delete',
        'pod',
        'registry',
        '--ignore-not-found',
        '--grace-period=0',
        '--force',
      ])
    },
  }
}

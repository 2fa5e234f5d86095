// Pods from which workloads are called with their own clients: HTTP from Node, psql, redis-cli.
import { apply, kubectl, podsReady } from './kubectl.ts'

const images = {
  http: 'localhost/node:20',
  sql: 'localhost/postgres:15',
  redis: 'localhost/redis:1',
} as const
type Client = keyof typeof images

export type Clients = {
  /** Runs a command in the pod of that client. */
  run(client: Client, ...command: string[]): Promise<string>
  /** Bodies of the answers to so many requests in turn, each on a connection of its own; fails unless all are 200. */
  get(url: string, count: number): Promise<string[]>
}

export async function startClients(namespace: string, which: readonly Client[]): Promise<Clients> {
  await apply(
    ...which.map(name => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: 'client' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [
          { name, image: images[name], imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] },
        ],
      },
    })),
  )
  await podsReady(namespace, 'app=client')
  const run = (client: Client, ...command: string[]) =>
    kubectl(['-n', namespace, 'exec', client, '--', ...command])
  return {
    run,
    async get(url, count) {
      return JSON.parse(await run('http', 'node', '-e', program, url, String(count)))
    },
  }
}

const program = `
const [url, count] = process.argv.slice(1)
const get = () => new Promise((resolve, reject) => require('http').get(url, { agent: false, timeout: 5000 }, answer => {
  let text = ''
  answer.setEncoding('utf8').on('data', data => { text += data }).on('end', () =>
    answer.statusCode === 200 ? resolve(text) : reject(new Error(answer.statusCode + ' ' + text)))
}).on('error', reject).on('timeout', function () { this.destroy(new Error('no answer within 5 s')) }))
;(async () => {
  const bodies = []
  for (let n = 0; n < Number(count); n++) bodies.push(await get())
  console.log(JSON.stringify(bodies))
})()`

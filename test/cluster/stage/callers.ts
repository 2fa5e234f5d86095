// A caller inside the cluster that asks a service over and over and counts every request that failed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { apply, kubectl, podsReady } from './kubectl.ts'

export interface Loop {
  requests: number
  /** The first 20 that failed: a request that was refused, broken off, not answered within 5 s, or answered 500 or more. */
  failures: { at: string; why: string }[]
  failed: number
  slowestMs: number
}

export interface CallerReport {
  /** A connection for each request. */
  fresh: Loop
  /** One connection that is kept; a connection that ends is a failure too. */
  kept: Loop
}

export interface Caller {
  /** The counts so far, while it goes on. */
  report(): Promise<CallerReport>
  /** Gives the counts since the start and removes the pod. */
  stop(): Promise<CallerReport>
}

export interface CallerOptions {
  namespace: string
  /** What is asked, as the pod sees it: `http://web.shop` or a pod's address. */
  url: string
  /** Default 20. */
  everyMs?: number
  /** The pod's name; default `caller`. */
  name?: string
}

const program = readFileSync(join(import.meta.dirname, 'caller.cjs'), 'utf8')

/** Starts the caller's pod and waits for its first answered requests; throws when there is none in 60 s. */
export async function startCaller({
  namespace,
  url,
  everyMs = 20,
  name = 'caller',
}: CallerOptions): Promise<Caller> {
  const container = {
    name: 'caller',
    image: 'localhost/node:20',
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', program, url, String(everyMs)],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { port: 8080, path: '/ready' }, periodSeconds: 1, failureThreshold: 60 },
  }
  const spec = {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [container],
  }
  await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app: name } }, spec })
  await podsReady(namespace, `app=${name}`)
  const report = async (): Promise<CallerReport> =>
    JSON.parse(
      await kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}:8080/proxy/report`]),
    )
  return {
    report,
    stop: async () => {
      const last = await report()
      await kubectl(['-n', namespace, 'delete', 'pod', name, '--grace-period=0', '--force'])
      return last
    },
  }
}

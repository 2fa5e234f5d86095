// listTargets on 5,000 pods and 500 deployments against "kubectl get pods,deployments -o json": time and memory of a fresh process of each.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { listTargets } from '../../../protocol/rpc/targets.ts'
import { apiPath } from '../../../server/kubernetes/client/api.ts'
import { openTestApi } from '../../cluster/stage/channel-pod.ts'
import { freshNamespace, kubeconfig, kubectlProgram } from '../../cluster/stage/kubectl.ts'
import { agentImage, clusterEnvironment } from '../../cluster/stage/session-run.ts'
import { startBackend } from '../../stage/backend.ts'
import { interleaved, median, shown } from '../measure.ts'

const deployments = 500
const podsEach = 10
const atOnce = 20

export async function benchList(runs: number): Promise<string[]> {
  const { name: namespace, remove } = await freshNamespace('bench-list')
  const memory = { kubectl: [] as number[], ours: [] as number[] }
  try {
    await fill(namespace)
    const compared = await interleaved(
      `listTargets on ${deployments * podsEach} pods and ${deployments} deployments, against kubectl get -o json (goal: at most 1.1)`,
      {
        runs,
        unit: 'ms',
        baseline: () => byKubectl(namespace, memory.kubectl),
        measured: () => byServer(namespace, memory.ours),
      },
    )
    const [kubectl, ours] = [median(memory.kubectl), median(memory.ours)]
    return [
      shown(compared),
      `memory of listTargets, against kubectl (goal: less): ${(ours / kubectl).toFixed(2)}x (${kubectl.toFixed(0)} MiB -> ${ours.toFixed(0)} MiB at the most)`,
    ]
  } finally {
    await remove()
  }
}

/** Prints the peak resident set of the one child in KiB; getrusage(2). */
const measured = `import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)`

async function byKubectl(namespace: string, memory: number[]): Promise<number> {
  const begin = performance.now()
  const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'get', 'pods,deployments', '-o', 'json']
  const { stdout } = await promisify(execFile)('python3', ['-c', measured, kubectlProgram, ...args])
  memory.push(Number(stdout) / 1024)
  return performance.now() - begin
}

/** From the start of a server to the whole answer. */
async function byServer(namespace: string, memory: number[]): Promise<number> {
  const begin = performance.now()
  const backend = await startBackend(clusterEnvironment(process.env))
  const kinds: ('pod' | 'deployment')[] = ['pod', 'deployment']
  const { targets } = await backend.connection.request(listTargets, { namespace, kinds })
  const ms = performance.now() - begin
  const status = readFileSync(`/proc/${backend.child.pid}/status`, 'utf8')
  memory.push(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024)
  const ended = once(backend.child, 'exit')
  backend.child.kill('SIGKILL')
  await ended
  if (targets.length !== deployments * (podsEach + 1))
    throw new Error(`${targets.length} targets were listed`)
  return ms
}

/** Deployments without pods of their own, and pods that no scheduler takes (schedulingGates): they cost the cluster no node. */
async function fill(namespace: string): Promise<void> {
  const api = await openTestApi()
  const post = (path: string, body: object) =>
    api.request({
      ...{ method: 'POST' as const, path, body, signal: AbortSignal.timeout(300_000) },
      asks: { verb: 'create', resource: 'objects', namespace },
    })
  const work = Array.from({ length: deployments }, (_, number) => async () => {
    await post(apiPath('/apis/apps/v1/namespaces', namespace, 'deployments'), deployment(number))
    for (let each = 0; each < podsEach; each++)
      await post(apiPath('/api/v1/namespaces', namespace, 'pods'), pod(number, each))
  })
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = work.pop(); next !== undefined; next = work.pop()) await next()
    }),
  )
  api.close()
}

const spec = {
  schedulingGates: [{ name: 'example.com/never' }],
  containers: [
    {
      ...{ name: 'web', image: agentImage, ports: [{ containerPort: 8080 }] },
      env: [{ name: 'SHOP_REGION', value: 'eu' }],
      readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
    },
  ],
}

const labels = (number: number) => ({ app: `shop-${number}` })

const deployment = (number: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: `shop-${number}`, labels: labels(number) },
  spec: {
    replicas: 0,
    selector: { matchLabels: labels(number) },
    template: { metadata: { labels: labels(number) }, spec },
  },
})

const pod = (number: number, each: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `shop-${number}-${each}`, labels: labels(number) },
  spec,
})

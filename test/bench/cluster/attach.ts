// From starting "standin exec" to the first mirrored request at the command, against a bare Job of the same image until its pod runs.
import { randomBytes } from 'node:crypto'
import { apiPath } from '../../../server/kubernetes/client/api.ts'
import { startCaller } from '../../cluster/stage/callers.ts'
import { openTestApi } from '../../cluster/stage/channel-pod.ts'
import {
  agentImage,
  clusterEnvironment,
  isRequest,
  StandinRuns,
  serveShop,
} from '../../cluster/stage/session-run.ts'
import { type Shop, startShop } from '../../cluster/stage/session-shop.ts'
import { untilNoAgents } from '../../cluster/stage/session-stand.ts'
import { type Comparison, interleaved } from '../measure.ts'

/** A caller begins a request so often; what it adds to the first mirrored one is half of it. */
const everyMs = 10

export async function benchAttach(runs: number): Promise<Comparison> {
  const shop = await startShop('bench-attach')
  const caller = await startCaller({
    namespace: shop.namespace,
    url: `http://${shop.address}:8080/loop`,
    everyMs,
  })
  const standins = new StandinRuns(clusterEnvironment(process.env))
  const attach = async () => {
    const begin = performance.now()
    const run = standins.exec(shop, serveShop)
    await run.stdout.until('the first mirrored request', isRequest, 60_000)
    const ms = performance.now() - begin
    run.child.kill('SIGTERM')
    await run.code
    await untilNoAgents(shop.namespace)
    return ms
  }
  try {
    await attach()
    return await interleaved('attach, against a bare Job until it runs (goal: at most 1.2)', {
      runs,
      unit: 'ms',
      baseline: () => bareJob(shop),
      measured: attach,
    })
  } finally {
    await standins.end()
    await caller.stop()
    await shop.end()
  }
}

/** Milliseconds from asking for the Job until its pod is seen running. */
async function bareJob({ namespace, pods }: Shop): Promise<number> {
  const api = await openTestApi()
  const name = `bare-${randomBytes(4).toString('hex')}`
  const signal = AbortSignal.timeout(60_000)
  const watching = new AbortController()
  const asks = (verb: string, resource: string) => ({ verb, resource, namespace })
  const jobs = apiPath('/apis/batch/v1/namespaces', namespace, 'jobs')
  const node = (await pods())[0]!.node
  try {
    const begin = performance.now()
    await api.request({
      method: 'POST',
      path: jobs,
      body: job(name, node),
      signal,
      asks: asks('create', 'jobs'),
    })
    const seen = api.watch<{ metadata: { name: string }; status: { phase: string } }>({
      path: apiPath('/api/v1/namespaces', namespace, 'pods'),
      query: { labelSelector: `batch.kubernetes.io/job-name=${name}` },
      signal: AbortSignal.any([signal, watching.signal]),
      asks: asks('watch', 'pods'),
    })
    for await (const { object } of seen) if (object.status?.phase === 'Running') break
    return performance.now() - begin
  } finally {
    watching.abort()
    await api.request({
      method: 'DELETE',
      path: `${jobs}/${name}`,
      body: { propagationPolicy: 'Foreground' },
      signal,
      asks: asks('delete', 'jobs'),
    })
    api.close()
  }
}

const job = (name: string, node: string) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    template: {
      spec: {
        restartPolicy: 'Never',
        nodeName: node,
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [
          { name: 'main', image: agentImage, command: ['node', '-e', 'setTimeout(() => {}, 60_000)'] },
        ],
      },
    },
  },
})

// Brings the test cluster up, from whatever state it is in.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeCertificates } from './certificates.ts'
import { startControlPlane } from './control-plane.ts'
import { takeDown } from './down.ts'
import { baseImages, type Image, workloadImages } from './images/list.ts'
import { loadImages } from './images/load.ts'
import { adminKubeconfig, type NodePlace, nodes, sourceRoot, stateRoot } from './layout.ts'
import { connectMachine, keepSettings, routeToPods } from './network.ts'
import { startNode, startRuntime } from './node.ts'
import { buildPrograms, programPath } from './programs.ts'
import { run, say, until } from './run.ts'

export interface UpOptions {
  /** Also the shop of workloads/. */
  workloads: boolean
}

/** Every part that runs already stays as it is. Throws with what it waited for when a part does not come. */
export async function bringUp({ workloads }: UpOptions): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error(
      'Cannot bring the cluster up: it needs root for namespaces, "sudo npm run cluster:up" has it',
    )
  await buildPrograms()
  // Programs that run with other certificates would trust nothing of the ones just made.
  if (await makeCertificates()) await takeDown({ wipe: false })
  for (const name of ['run', 'log']) mkdirSync(join(stateRoot, name), { recursive: true })
  keepSettings()
  await connectMachine()
  await Promise.all([startControlPlane(), startRuntimes()])
  const more = workloads ? onEachNode(workloadImages) : Promise.resolve()
  await Promise.all([more, ...nodes.map(startNode), ...nodes.map(isReady)])
  await until('the default service account', 30_000, async () =>
    kubectl('-n', 'default', 'get', 'serviceaccount', 'default'),
  )
  await kubectl('apply', '-f', join(sourceRoot, 'addons'))
  if (workloads) await kubectl('apply', '-f', join(sourceRoot, 'workloads'))
  await kubectl('-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=60s')
  // Not the pods by their names: those of an earlier revision may be on their way out.
  if (workloads) await kubectl('-n', 'shop', 'rollout', 'status', 'deployments,statefulsets', '--timeout=90s')
  say('up')
}

async function startRuntimes(): Promise<void> {
  await Promise.all(nodes.map(startRuntime))
  await routeToPods()
  await onEachNode(baseImages)
}

async function onEachNode(images: readonly Image[]): Promise<void> {
  await Promise.all(nodes.map(node => loadImages(node, images)))
}

async function kubectl(...args: string[]): Promise<string> {
  return run(programPath('kubectl'), ['--kubeconfig', adminKubeconfig, '--request-timeout=10s', ...args], {
    timeoutMs: 100_000,
  })
}

interface NodeStatus {
  spec: { taints?: { key: string }[] }
  status: { conditions: { type: string; status: string; lastHeartbeatTime: string }[] }
}

/** Ready as this kubelet says it, not as an earlier one said before it went. */
async function isReady({ name }: NodePlace): Promise<void> {
  const began = Date.now() - 1000
  await until(`${name} to be ready`, 60_000, async () => {
    const { spec, status }: NodeStatus = JSON.parse(await kubectl('get', 'node', name, '-o', 'json'))
    const ready = status.conditions.find(condition => condition.type === 'Ready')
    return (
      ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) >= began && spec.taints === undefined
    )
  })
}

// Holds that a session left nothing: the objects of the cluster as they were before, and no caller that noticed.
import assert from 'node:assert/strict'
import { until } from '../run.ts'
import { type CallerReport, startCaller } from './callers.ts'
import { kubectl } from './kubectl.ts'
import { difference, objects } from './objects.ts'
import type { Shop } from './session-shop.ts'

export type Stand = {
  /** Fails unless the cluster's objects come to be as they were within the time, saying what is left, and no caller failed since the start. */
  assertNothingLeft(withinMs: number): Promise<void>
  /** Fails if any request of the callers failed since the start. */
  assertCallersServed(): Promise<void>
  end(): Promise<void>
}

/** What is compared: all namespaces, or with STANDIN_TEST_SHARED, on a cluster that others use meanwhile, these. */
const scope = (namespaces: readonly string[]) => (process.env.STANDIN_TEST_SHARED ? { namespaces } : {})

/** Starts callers of the shop's service, or of another address, and writes down the cluster's objects. */
export async function startStand(shop: Shop, address = shop.address): Promise<Stand> {
  const { namespace } = shop
  const caller = await startCaller({ namespace, url: `http://${address}:8080/loop`, name: 'loop' })
  const look = () => objects(scope([namespace]))
  const before = await look()
  const assertCallersServed = async () => assertServed(await caller.report())
  return {
    assertCallersServed,
    async assertNothingLeft(withinMs) {
      let last = difference(before, [])
      await until('the objects of the cluster to be as before', withinMs, async () => {
        last = difference(before, await look())
        return last.left.length + last.taken.length === 0
      }).catch(cause => {
        throw new Error(`${(cause as Error).message}: ${JSON.stringify(last)}`, { cause })
      })
      await assertCallersServed()
    },
    async end() {
      await caller.stop()
    },
  }
}

export function assertServed({ fresh, kept }: CallerReport): void {
  assert.ok(fresh.requests > 0 && kept.requests > 0, 'callers asked')
  assert.deepEqual([...fresh.failures, ...kept.failures], [])
}

export type AgentPod = { name: string; uid: string; node: string; job: string; address: string }

/** Pods of agents in the namespace. */
export async function agentPods(namespace: string): Promise<AgentPod[]> {
  const label = 'app.kubernetes.io/managed-by=standin'
  const { items } = JSON.parse(await kubectl(['-n', namespace, 'get', 'pods', '-l', label, '-o', 'json']))
  return items.map(
    (pod: {
      metadata: { name: string; uid: string; labels: Record<string, string> }
      spec: { nodeName?: string }
      status: { podIP?: string }
    }) => ({
      name: pod.metadata.name,
      uid: pod.metadata.uid,
      node: pod.spec.nodeName ?? '',
      job: pod.metadata.labels['batch.kubernetes.io/job-name'] ?? '',
      address: pod.status.podIP ?? '',
    }),
  )
}

/** Deleting a Job is the end of it; the node ends its pod a moment later. */
export async function untilNoAgents(namespace: string, withinMs = 20_000): Promise<void> {
  const none = async () => (await agentPods(namespace)).length === 0
  await until(`no agent to be left in namespace ${namespace}`, withinMs, none)
}

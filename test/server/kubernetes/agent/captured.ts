// What a real cluster (Kubernetes 1.34, containerd 1.6) showed of agents that could not start, each cause brought about on purpose.
import { readFileSync } from 'node:fs'
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node'
import type { Circumstances, Sight } from '../../../../server/kubernetes/agent/sight.ts'

type Captured = { pod?: V1Pod; events: CoreV1Event[] }

const all = JSON.parse(readFileSync(new URL('captured.json', import.meta.url), 'utf8')) as Record<
  string,
  Captured | undefined
>

export function captured(name: string): Sight {
  const found = all[name]
  if (found === undefined) throw new Error(`nothing was captured as "${name}"`)
  return { ...found, container: found.pod?.status?.containerStatuses?.[0] }
}

export const about: Circumstances = {
  namespace: 'shop',
  node: 'node-a',
  image: 'node:22-slim',
  ephemeral: false,
  selects: false,
}

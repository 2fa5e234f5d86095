// Runs the benchmarks on the cluster of KUBECONFIG and prints ratios, measured side by side in one run: 10 runs of all parts by default.
import { shown } from '../measure.ts'
import { benchAgent } from './agent.ts'
import { benchAttach } from './attach.ts'
import { benchList } from './list.ts'
import { benchOutgoing } from './outgoing.ts'
import { benchPodRequests } from './pod-requests.ts'
import { benchPortForward } from './port-forward.ts'

const runs = Number(process.argv[2] ?? 10)
const only = process.argv[3]

const parts: Record<string, () => Promise<string[]>> = {
  attach: async () => [shown(await benchAttach(runs))],
  list: () => benchList(runs),
  'port-forward': async () => (await benchPortForward(runs)).map(shown),
  pod: async () => (await benchPodRequests(runs)).map(shown),
  agent: benchAgent,
  outgoing: () => benchOutgoing(runs),
}

if (only !== undefined && !(only in parts))
  throw new Error(`Cannot measure "${only}": the parts are ${Object.keys(parts).join(', ')}`)
for (const [name, part] of Object.entries(parts)) {
  if (only !== undefined && only !== name) continue
  for (const line of await part()) console.log(line)
}
process.exit(0)

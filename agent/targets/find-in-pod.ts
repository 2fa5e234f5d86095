// Finds the first process of a container of a pod, by the container's id in the cgroups of all processes that the agent sees.
import { hostname } from 'node:os'
import { Failure } from '../../protocol/errors.ts'
import { Snapshot } from '../linux/snapshot.ts'
import { containerOf, isOfContainer, isOfPod } from './cgroup.ts'
import { hasEnded, type ProcessStat } from './stat.ts'

export type Sought = { container: string; pod: string; podUid?: string | undefined; ephemeral: boolean }
export type Seen = ProcessStat & { cgroups: string }

/** Throws `target-ended`, `agent-denied` when the agent sees none but its own processes, `agent-failed` on another node than the pod's. */
export function findInPod(sought: Sought): ProcessStat {
  const snapshot = new Snapshot()
  const seen = snapshot.processes.map(stat => ({ ...stat, cgroups: snapshot.cgroups(stat.pid) }))
  const found = chooseFirst(seen, sought)
  if (found !== undefined) return found
  throw explainMissing(seen, sought, process.pid)
}

/** Of the container's processes the one that started first; what was executed in it later, or runs in a container inside it, comes after. */
export function chooseFirst(seen: readonly Seen[], { container, ephemeral }: Sought): Seen | undefined {
  const alive = seen.filter(stat => !hasEnded(stat))
  const [first] = alive.filter(({ cgroups }) => isOfContainer(cgroups, container)).sort(byStart)
  if (first !== undefined || !ephemeral) return first
  // Where cgroups tell of no container at all, an ephemeral container with a target sees that one's first process as pid 1.
  const init = alive.find(({ pid }) => pid === 1)
  const hidden = init !== undefined && init.pid !== process.pid && containerOf(init.cgroups) === undefined
  return hidden && init.name !== 'pause' ? init : undefined
}

export function explainMissing(seen: readonly Seen[], sought: Sought, ownPid: number): Failure {
  const { container, pod, podUid, ephemeral } = sought
  const detail = `no process of container ${container} among ${seen.length} that ${hostname()} sees`
  if (ownPid === 1)
    return new Failure(
      'agent-denied',
      {
        pod,
        reason: "the agent sees none but its own container's processes",
        fix: ephemeral
          ? 'Leave agent.ephemeral out: the container runtime gives ephemeral containers no sight of their target'
          : 'Ask whoever runs the cluster to admit hostPID for the agent, or set agent.ephemeral to true',
      },
      { detail },
    )
  if (!ephemeral && podUid !== undefined && !seen.some(({ cgroups }) => isOfPod(cgroups, podUid)))
    return new Failure(
      'agent-failed',
      { reason: `it runs on another node than pod "${pod}", for no process of that is here` },
      { detail },
    )
  return new Failure('target-ended', { target: `pod/${pod}` }, { detail })
}

function byStart(a: ProcessStat, b: ProcessStat): number {
  return Number(a.startTime) - Number(b.startTime) || a.pid - b.pid
}

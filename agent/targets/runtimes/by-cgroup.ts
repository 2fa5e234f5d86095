// Finds containers without asking any runtime: by the container ids in the cgroup paths of all processes.
import { readProcText } from '../../linux/proc.ts'
import { containerOf } from '../cgroup.ts'
import type { ProcessStat } from '../stat.ts'
import type { Container } from './container.ts'

const shortIdCharacters = 12

/** One row a container, but the one that we run in; its first process is the one that started first. Names are the runtime's secret, so the short id is one. */
export function listByCgroup(processes: readonly ProcessStat[]): Container[] {
  const own = containerOf(readProcText('self', 'cgroup') ?? '')?.id
  const found = new Map<string, Container>()
  for (const { pid } of [...processes].sort(byStart)) {
    const mark = containerOf(readProcText(pid, 'cgroup') ?? '')
    if (mark !== undefined && mark.id !== own && !found.has(mark.id)) {
      const { id, runtime } = mark
      found.set(id, {
        id,
        name: id.slice(0, shortIdCharacters),
        pid,
        ...(runtime === undefined ? {} : { runtime }),
      })
    }
  }
  return [...found.values()]
}

function byStart(a: ProcessStat, b: ProcessStat): number {
  return Number(a.startTime) - Number(b.startTime) || a.pid - b.pid
}

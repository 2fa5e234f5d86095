// Which processes are the target's own: its listeners are delivered to the user's process, those of its neighbours are not.

import { namespaceOf } from '../linux/proc.ts'
import type { Snapshot } from '../linux/snapshot.ts'
import { containerOf, containerPath, isInside } from './cgroup.ts'
import { descendants } from './tree.ts'

/** `id` is a container's id or name; without one the target is a process. */
export type Scope = { pid: number; id?: string }

/**
 * A process: itself and its descendants. A container: what is in its cgroup; where the runtime made none that can be told apart, what
 * is in its process namespace; where it shares that with us, the descendants of its first process.
 */
export function ownProcesses(snapshot: Snapshot, { pid, id }: Scope): Set<number> {
  if (id !== undefined) {
    const path = cgroupOf(snapshot.cgroups(pid), id, snapshot.cgroups(process.pid))
    if (path !== undefined) return those(snapshot, other => isInside(snapshot.cgroups(other), path))
    const space = snapshot.namespace(pid, 'pid')
    if (space !== undefined && space !== namespaceOf('self', 'pid'))
      return those(snapshot, other => snapshot.namespace(other, 'pid') === space)
  }
  return descendants(snapshot.processes, pid)
}

/** The innermost cgroup that is the container's and not ours: we may run in a container ourselves, and then so does the target. */
export function cgroupOf(cgroups: string, id: string, ours: string): string | undefined {
  const paths = [id, containerOf(cgroups)?.id].map(known => known && containerPath(cgroups, known))
  return paths
    .filter(path => path !== undefined && path !== '' && !isInside(ours, path))
    .sort((a = '', b = '') => b.length - a.length)[0]
}

function those(snapshot: Snapshot, belongs: (pid: number) => boolean): Set<number> {
  return new Set(snapshot.processes.map(({ pid }) => pid).filter(belongs))
}

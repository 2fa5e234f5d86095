// Who descends from whom, and which of several processes that hold one listener stands for them.

type Kin = { pid: number; parent: number }

/** The process and all that descend from it. */
export function descendants(processes: readonly Kin[], first: number): Set<number> {
  const children = new Map<number, number[]>()
  for (const { pid, parent } of processes) children.set(parent, [...(children.get(parent) ?? []), pid])
  const family = new Set([first])
  for (const pid of family) for (const child of children.get(pid) ?? []) family.add(child)
  return family
}

/** Leaves out processes whose parent holds all that they hold: the workers of a pre-fork server are one target, not five. */
export function topmost<T extends Kin & { inodes: ReadonlySet<string> }>(holders: readonly T[]): T[] {
  const byPid = new Map(holders.map(holder => [holder.pid, holder]))
  return holders.filter(holder => {
    const parent = byPid.get(holder.parent)
    return parent === undefined || ![...holder.inodes].every(inode => parent.inodes.has(inode))
  })
}

// Targets as rows of a table: one form for a cluster, one for this machine.
import { type Target, targetKind } from '../../protocol/rpc/targets.ts'

const kinds = Object.keys(targetKind.keys)

/** By namespace, kind and name, as listTargets sorts its result. */
export function sortTargets(targets: readonly Target[]): Target[] {
  const key = ({ namespace = '', kind, name }: Target) => [namespace, kinds.indexOf(kind), name] as const
  return [...targets].sort((one, other) => {
    const [namespace, kind, name] = key(one)
    const [otherNamespace, otherKind, otherName] = key(other)
    return compare(namespace, otherNamespace) || kind - otherKind || compare(name, otherName)
  })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The header and one row a target, none when there is no target. */
export function targetTable(targets: readonly Target[], options: { inAll: boolean }): string[][] {
  if (targets.length === 0) return []
  const isMachine = targets.every(({ kind }) => kind === 'process' || kind === 'container')
  return isMachine ? machineRows(targets) : clusterRows(targets, options)
}

function machineRows(targets: readonly Target[]): string[][] {
  const rows = targets.map(({ target, name, ports, ready, reason, command }) => [
    target,
    name,
    portsCell(ports),
    ready ? 'yes' : (reason ?? 'no'),
    command ?? '',
  ])
  return [['TARGET', 'NAME', 'PORTS', 'READY', 'COMMAND'], ...rows]
}

/** Reasons come last: they are long, and a narrow terminal cuts them first. */
function clusterRows(targets: readonly Target[], { inAll }: { inAll: boolean }): string[][] {
  const header = ['NAMESPACE', 'TARGET', 'READY', 'PORTS', 'CONTAINERS', 'STATUS']
  const rows = targets.map(({ namespace, target, ready, reason, pods, ports, containers }) => [
    namespace ?? '',
    target,
    pods === undefined ? (ready ? 'yes' : 'no') : `${pods.ready}/${pods.total}`,
    portsCell(ports),
    containers?.join(',') || '-',
    reason ?? (ready ? '' : 'not ready'),
  ])
  return [header, ...rows].map(row => (inAll ? row : row.slice(1)))
}

function portsCell(ports: readonly number[]): string {
  return ports.join(',') || '-'
}

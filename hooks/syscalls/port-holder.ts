// Finds which program holds a port of this machine, and whether it is one of the session's own (proc(5), /proc/net/tcp).
import { readFileSync } from 'node:fs'
import { isWildcard } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { parseTcpTable, type TcpEntry } from '../../protocol/tcp-table.ts'
import { listProcesses, socketInodes } from '../linux/processes.ts'

export type Holder = {
  /** Whether it runs under this supervisor. */
  readonly hooked: boolean
  readonly user: number
  /** Missing when the process belongs to another user and cannot be looked into. */
  readonly pid?: number
  readonly name?: string
}

/** Whether a listening socket stands in the way of a bind. */
export function conflicts(entry: TcpEntry, wanted: Endpoint): boolean {
  if (!entry.listening || entry.port !== wanted.port) return false
  return isWildcard(entry.address) || isWildcard(wanted.address) || entry.address === wanted.address
}

/**
 * The holder of the port, one outside of the session before others of a shared port; undefined when no listening socket is in the way (a
 * socket that is only bound, or a connection that lingers).
 */
export function findHolder(wanted: Endpoint, supervisor: number): Holder | undefined {
  const entries = ['tcp', 'tcp6']
    .flatMap(table => parseTcpTable(readQuietly(`/proc/net/${table}`)))
    .filter(one => conflicts(one, wanted))
  if (entries.length === 0) return undefined
  const processes = listProcesses()
  const hooked = new Set(processes.descendants(supervisor))
  const ordered = [...hooked, ...processes.pids.filter(pid => !hooked.has(pid))]
  const holders = entries.map(({ inode, user }): Holder => {
    const pid = ordered.find(one => socketInodes(one).has(inode))
    if (pid === undefined) return { hooked: false, user }
    return { hooked: hooked.has(pid), user, pid, name: processes.name(pid) }
  })
  return holders.find(holder => !holder.hooked) ?? holders[0]
}

export const describeHolder = ({ pid, name, user }: Holder): string =>
  pid === undefined ? `a program of user ${user}` : `"${name ?? '?'}" (pid ${pid})`

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

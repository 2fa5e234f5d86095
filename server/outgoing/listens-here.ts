// Whether something on this machine takes connections or datagrams to an address, read from the kernel's tables (proc(5)) for whoever is no hook.
import { readFileSync } from 'node:fs'
import type { Endpoint } from '../../protocol/codec.ts'
import type { Protocol } from '../../protocol/outgoing/entry.ts'
import { parseTcpTable, takesConnectionsTo } from '../../protocol/tcp-table.ts'

/** Elsewhere than on Linux nothing is hooked, and nothing known. */
export function listensHere(to: Endpoint, protocol: Protocol): boolean {
  if (process.platform !== 'linux') return false
  return [protocol, `${protocol}6`]
    .flatMap(table => parseTcpTable(readTable(table), protocol))
    .some(one => one.listening && takesConnectionsTo({ ...one, onlySix: false }, to))
}

function readTable(table: string): string {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
  } catch (thrown) {
    // Without IPv6 there is no tcp6.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw thrown
  }
}

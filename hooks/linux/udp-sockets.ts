// The UDP sockets of this network namespace, from the kernel's tables (proc(5), /proc/net/udp).
import { readFileSync } from 'node:fs'
import type { Endpoint } from '../../protocol/codec.ts'
import { parseTcpTable, type TcpEntry, takesConnectionsTo } from '../../protocol/tcp-table.ts'

/** All that have a port. */
export const readUdpSockets = (): TcpEntry[] =>
  ['udp', 'udp6'].flatMap(table => parseTcpTable(readTable(table), 'udp'))

/** Whether one takes datagrams to that address from anyone. */
export const takesDatagramsHere = (to: Endpoint): boolean =>
  readUdpSockets().some(one => one.listening && takesConnectionsTo({ ...one, onlySix: false }, to))

function readTable(table: string): string {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
  } catch {
    // Without IPv6 there is no udp6.
    return ''
  }
}

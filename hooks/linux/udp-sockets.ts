// The UDP sockets of this network namespace: the one that would take a datagram (sock_diag(7)), and all of the kernel's tables (proc(5), /proc/net/udp).
import { readFileSync } from 'node:fs'
import { loopbackFor } from '../../protocol/address.ts'
import type { Endpoint } from '../../protocol/codec.ts'
import { parseTcpTable, type TcpEntry, takesConnectionsTo } from '../../protocol/tcp-table.ts'
import { AF_INET, readAddress, writeAddress } from '../address.ts'
import { datagramRequest } from '../inet-diag.ts'
import { openSocket } from './datagrams.ts'
import { close } from './libc.ts'
import { type Ask, openSockDiag } from './sock-diag.ts'
import { bind, socketName } from './sockets.ts'

const SOCK_DGRAM_CLOEXEC = 0x80002

/** All that have a port. */
export const readUdpSockets = (): TcpEntry[] =>
  ['udp', 'udp6'].flatMap(table => parseTcpTable(readTable(table), 'udp'))

/** Whether a socket takes datagrams to that loopback address, from that sender or else from anyone. */
export type TakesDatagrams = (to: Endpoint, from?: Endpoint) => boolean

/** The tables answer where the kernel cannot look up one socket; those that are connected to the sender are not found then. */
export function openDatagramTable(): TakesDatagrams {
  const ask = openSockDiag()
  if (!answersOfUdp(ask)) return to => isListed(to)
  return (to, from) => {
    const sender = { address: loopbackFor(to.address), port: 0, ...from }
    const found = ask(datagramRequest(sender, to), { isList: false })
    return found === undefined ? isListed(to) : found.length > 0
  }
}

/** A kernel without that table (CONFIG_INET_UDP_DIAG) says of every socket that there is none. */
function answersOfUdp(ask: Ask): boolean {
  const socket = openSocket(AF_INET, SOCK_DGRAM_CLOEXEC, 0)
  if (socket < 0) return false
  try {
    bind(socket, writeAddress(AF_INET, { address: '127.0.0.1', port: 0 }))
    const name = socketName(socket)
    const own = typeof name === 'number' ? undefined : readAddress(name)
    return own !== undefined && (ask(datagramRequest(own, own), { isList: false })?.length ?? 0) > 0
  } finally {
    close(socket)
  }
}

const isListed = (to: Endpoint): boolean =>
  readUdpSockets().some(one => one.listening && takesConnectionsTo({ ...one, onlySix: false }, to))

function readTable(table: string): string {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
  } catch {
    // Without IPv6 there is no udp6.
    return ''
  }
}

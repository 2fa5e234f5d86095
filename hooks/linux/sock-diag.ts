// Asks the kernel about sockets, and which of TCP listen (sock_diag(7), netlink(7)); /proc/net/tcp answers where it has no such table, and slower.
import { readFileSync } from 'node:fs'
import type { Endpoint } from '../../protocol/codec.ts'
import { parseTcpTable, takesConnectionsTo } from '../../protocol/tcp-table.ts'
import { type ListeningSocket, listRequest, lookupRequest, readAnswer } from '../inet-diag.ts'
import { declare } from './libc.ts'
import { AF_INET, AF_INET6 } from './sockets.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0x80000
const NETLINK_SOCK_DIAG = 4
const MSG_DONTWAIT = 0x40
const ENOENT = 2

const socketCall = declare<[number, number, number]>('int socket(int, int, int)')
const send = declare<[number, Buffer, number, number]>('long send(int, void*, size_t, int)')
const receive = declare<[number, Buffer, number, number]>('long recv(int, void*, size_t, int)')

export type ListenTable = {
  /** Every socket that listens in this network namespace. */
  all(): ListeningSocket[]
  /** The one that would take a connection to this address; of a group that shares a port (SO_REUSEPORT), any. */
  at(to: Endpoint): ListeningSocket | undefined
}

/** undefined when the kernel does not answer such questions. */
export type Ask = (request: Buffer, options: { isList: boolean }) => ListeningSocket[] | undefined

/** One netlink socket, open for good. The kernel has its answer ready when the request returns, so that nothing here waits. */
export function openSockDiag(): Ask {
  const socket = socketCall(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
  const answer = Buffer.alloc(32 << 10)

  return (request, { isList }) => {
    // What an earlier question left behind.
    while (receive(socket, answer, answer.length, MSG_DONTWAIT) > 0);
    if (send(socket, request, request.length, 0) < 0) return undefined
    const found: ListeningSocket[] = []
    for (;;) {
      const got = receive(socket, answer, answer.length, MSG_DONTWAIT)
      if (got <= 0) return undefined
      const { sockets, errno, last } = readAnswer(answer.subarray(0, got))
      found.push(...sockets)
      if (errno !== 0) return errno === ENOENT && !isList ? [] : undefined
      if (last || !isList) return found
    }
  }
}

export function openListenTable(): ListenTable {
  const ask = openSockDiag()
  return {
    all() {
      const lists = [AF_INET, AF_INET6].map(family => ask(listRequest(family), { isList: true }))
      return lists.includes(undefined) ? listFromProc() : lists.flatMap(list => list ?? [])
    },
    at(to) {
      const found = ask(lookupRequest(to), { isList: false }) ?? listFromProc()
      return found.find(one => takesConnectionsTo(one, to))
    },
  }
}

/** It does not say which IPv6 sockets take no IPv4 connections; that they do is the careful guess here. */
function listFromProc(): ListeningSocket[] {
  return ['tcp', 'tcp6']
    .flatMap(table => parseTcpTable(readTable(table)))
    .flatMap(({ address, port, listening, inode }) =>
      listening ? [{ address, port, inode: Number(inode), onlySix: false }] : [],
    )
}

function readTable(table: string): string {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
  } catch {
    // Without IPv6 there is no tcp6.
    return ''
  }
}

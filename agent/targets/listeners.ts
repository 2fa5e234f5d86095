// Reads /proc/net/tcp and tcp6 (proc(5)): which sockets listen, on which address and port.
//
//   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42137 ...
//
// Addresses are printed as u32 words in the machine's order: little-endian on x86-64 and arm64.
import { addressText } from './address.ts'

export type Listener = { address: string; port: number; inode: string }

const listenState = '0A'

/** The listeners of one table. The kernel prints them before all other sockets, so reading may stop at the first other one. */
export function parseListeners(table: string): Listener[] {
  const listeners: Listener[] = []
  for (const line of table.split('\n')) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    if (local === undefined || inode === undefined || state !== listenState) continue
    const [address = '', port = ''] = local.split(':')
    listeners.push({ address: addressText(swapWords(address)), port: Number.parseInt(port, 16), inode })
  }
  return listeners
}

/** Whether this part of a table already shows a socket that does not listen, so that no listener follows. */
export function listenersEnded(table: string): boolean {
  return table
    .split('\n')
    .slice(1, -1)
    .some(line => line.trim().split(/\s+/)[3] !== listenState)
}

/** The distinct ports, in ascending order. */
export function portsOf(listeners: readonly Listener[]): number[] {
  return [...new Set(listeners.map(listener => listener.port))].sort((a, b) => a - b)
}

function swapWords(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex')
  if (bytes.length % 4 === 0) bytes.swap32()
  return bytes
}

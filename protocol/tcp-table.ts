// Reads /proc/net/tcp and tcp6, and udp and udp6 (proc(5)): which sockets listen, on what, and whose they are.
import { normalAddress, textOfSix } from './address.ts'
import type { Endpoint } from './codec.ts'

export type TcpEntry = { address: string; port: number; listening: boolean; user: number; inode: string }
/** TCP_LISTEN, and of UDP the state of a socket that is not connected. */
const listeningStates = { tcp: '0A', udp: '07' } as const

//   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 ...
export function parseTcpTable(text: string, protocol: 'tcp' | 'udp' = 'tcp'): TcpEntry[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const [, own, , state, , , , user, , inode] = line.trim().split(/\s+/)
      const [address, port] = own?.split(':') ?? []
      if (address === undefined || port === undefined || inode === undefined) return []
      return [
        {
          address: readHexAddress(address),
          port: Number.parseInt(port, 16),
          listening: state === listeningStates[protocol],
          user: Number(user),
          inode,
        },
      ]
    })
}

/** The kernel prints each 32-bit word of the address as a number of this machine, so the bytes of each word are reversed. */
export function readHexAddress(hex: string): string {
  const words = Buffer.from(hex, 'hex')
  words.swap32()
  return words.length === 4 ? [...words].join('.') : textOfSix(words)
}

/** Whether a listening socket can be given connections to this address. */
export function takesConnectionsTo(socket: Endpoint & { onlySix: boolean }, to: Endpoint): boolean {
  if (socket.port !== to.port) return false
  if (socket.address === '0.0.0.0') return !to.address.includes(':')
  if (socket.address === '::') return to.address.includes(':') || !socket.onlySix
  return socket.address === normalAddress(to.address)
}

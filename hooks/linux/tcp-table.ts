// Reads /proc/net/tcp and /proc/net/tcp6 (proc(5)): which sockets listen, on what, and whose they are.
import { AF_INET6, readAddress } from '../address.ts'

export type TcpEntry = { address: string; port: number; listening: boolean; user: number; inode: string }
const TCP_LISTEN = '0A'

//   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 ...
export function parseTcpTable(text: string): TcpEntry[] {
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
          listening: state === TCP_LISTEN,
          user: Number(user),
          inode,
        },
      ]
    })
}

/** The kernel prints each 32-bit word of the address as a number of this machine, so the bytes of each word are reversed. */
function readHexAddress(hex: string): string {
  const words = Buffer.from(hex, 'hex')
  words.swap32()
  if (words.length === 4) return [...words].join('.')
  const socket = Buffer.alloc(28)
  socket.writeUInt16LE(AF_INET6, 0)
  words.copy(socket, 8)
  return readAddress(socket)?.address ?? '::'
}

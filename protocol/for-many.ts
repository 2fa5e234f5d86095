// Which addresses are for many: datagrams to a multicast group or to all of a network are this machine's, whatever the pod is connected to.
import { networkInterfaces } from 'node:os'

const freshMs = 2_000

/** Whether an address is a multicast or a broadcast one, of this machine's networks as they are or were a moment ago. */
export function makeForMany(read = networkInterfaces): (address: string) => boolean {
  let readAtMs = Number.NEGATIVE_INFINITY
  let broadcasts = new Set<string>()
  return address => {
    if (address === '255.255.255.255' || isMulticast(address)) return true
    const nowMs = performance.now()
    if (nowMs - readAtMs > freshMs) {
      readAtMs = nowMs
      const interfaces = Object.values(read()).flatMap(list => list ?? [])
      broadcasts = new Set(
        interfaces.flatMap(one =>
          one.family === 'IPv4' && !one.internal ? [broadcastOf(one.address, one.netmask)] : [],
        ),
      )
    }
    return broadcasts.has(address)
  }
}

export const isMulticast = (address: string): boolean => /^(ff..:|22[4-9]\.|23\d\.)/.test(address)

/** Of a network of one or two addresses it is another host's. */
function broadcastOf(address: string, netmask: string): string {
  const [own, mask] = [address.split('.').map(Number), netmask.split('.').map(Number)]
  if ((mask[3] ?? 0) >= 254) return ''
  return own.map((byte, index) => (byte | (~mask[index]! & 0xff)) >>> 0).join('.')
}

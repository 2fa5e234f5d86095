// Which addresses are this machine's own: what a process connects to there never leaves it.
import { networkInterfaces } from 'node:os'
import { normalAddress } from './address.ts'

/** Networks come and go with cables, VPNs and containers. */
const freshMs = 2_000

export function makeOwnAddresses(read = networkInterfaces): (address: string) => boolean {
  let readAtMs = Number.NEGATIVE_INFINITY
  let own = new Set<string>()
  return address => {
    const nowMs = performance.now()
    if (nowMs - readAtMs > freshMs) {
      readAtMs = nowMs
      own = new Set(
        Object.values(read()).flatMap(list => (list ?? []).map(one => normalAddress(one.address))),
      )
    }
    return own.has(address)
  }
}

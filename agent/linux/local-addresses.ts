// The addresses of the network namespace that the calling thread is in: getifaddrs(3), by libuv.
import { networkInterfaces } from 'node:os'

/**
 * Of interfaces that are up. Those of kube-proxy's IPVS mode hang on a device that is down: they are services', and what is for them is for
 * pods elsewhere.
 */
export function localAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  return [...new Set(all.map(({ address }) => address))].sort()
}

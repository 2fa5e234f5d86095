// The addresses of the network namespace that the calling thread is in: getifaddrs(3), by libuv.
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/**
 * Of interfaces that are up. Those of kube-proxy's IPVS mode hang on a device that is down: they are services', and what is for them is for
 * pods elsewhere.
 */
export function localAddresses(): string[] {
  return distinct(allAddresses())
}

/** Without loopback and link-local ones, which nobody reaches from elsewhere. */
export function reachableAddresses(): string[] {
  return distinct(
    allAddresses().filter(({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/.test(address)),
  )
}

function allAddresses(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap(each => each ?? [])
}

function distinct(addresses: readonly NetworkInterfaceInfo[]): string[] {
  return [...new Set(addresses.map(({ address }) => address))].sort()
}

// Reads a target's network from outside of it: addresses and the mesh sidecar.
import { readProcText } from '../linux/proc.ts'
import { parseFibTrie, parseIfInet6 } from './addresses.ts'
import { readHolders } from './own-listeners.ts'
import { decideSidecar, sidecarPorts } from './sidecar.ts'

/** Its IP addresses, loopback and link-local ones excluded. */
export function readAddresses(pid: number): string[] {
  const four = parseFibTrie(readProcText(pid, 'net/fib_trie') ?? '')
  const six = parseIfInet6(readProcText(pid, 'net/if_inet6') ?? '')
  return [...four, ...six]
}

export function readSidecar(pid: number): 'istio' | 'linkerd' | undefined {
  return decideSidecar(readHolders(pid, sidecarPorts))
}

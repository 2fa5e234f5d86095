// What a C library makes of the files by which it looks names up: addresses of a hosts file, and the questions for a name.
import { isIP } from 'node:net'
import { parseHosts } from '../../protocol/names/hosts.ts'
import { type ResolverConfig, withoutDot } from '../../protocol/names/resolv-conf.ts'

/** The addresses of a name in a hosts file, IPv4 before IPv6. */
export function addressesIn(hosts: string, name: string): string[] {
  const all = parseHosts(hosts).get(name.toLowerCase()) ?? []
  return [4, 6].flatMap(family => all.filter(address => isIP(address) === family))
}

/** What nameservers are asked for, one after the other until one exists. A dot at the end says that the name is whole. */
export function questionsFor(
  name: string,
  { search, ndots }: Pick<ResolverConfig, 'search' | 'ndots'>,
): string[] {
  if (name.endsWith('.')) return [withoutDot(name)]
  const longer = search.map(domain => `${name}.${domain}`)
  const dots = name.split('.').length - 1
  return dots >= ndots ? [name, ...longer] : [...longer, name]
}

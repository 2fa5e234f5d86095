// Reads a hosts file (hosts(5)) as C libraries do, for whoever looks names up in the pod and for whoever answers to the process.
import { isIP } from 'node:net'

/** The addresses of each name, once each and in the order of the file; names are in small letters, for their case says nothing. */
export function parseHosts(text: string): Map<string, string[]> {
  const names = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [address = '', ...called] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of called.map(each => each.toLowerCase()))
      names.set(name, (names.get(name) ?? new Set()).add(address))
  }
  return new Map([...names].map(([name, addresses]) => [name, [...addresses]]))
}
